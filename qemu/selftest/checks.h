/* The groups of checks, one file each. */
#ifndef CHECKS_H
#define CHECKS_H

void check_unknown_calls(void);
void check_eemi(void);
void check_power(void);
void check_unsettled(void);
void check_registers(void);
void check_interrupts(void);
void check_mailboxes(void);
void check_both_processors(void);

#endif
