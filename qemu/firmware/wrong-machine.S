// An AArch64 program at the address Linux programs have: what somebody deploys
// who takes the wrong build. It never runs.
    .text
    .global _start
_start:
    wfi
    b _start
