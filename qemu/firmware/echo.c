/*
 * Two RPMsg channels. Each message goes back on the channel it came from; and once a channel
 * knows Linux's address, which is that of the last message, it beats there once a second.
 */
#include "announce.h"
#include "delay.h"
#include "doorbell.h"
#include "rpmsg.h"
#include "trace.h"
#include "uart1.h"

#define PERIOD_MS 1000

struct echo_table {
    struct resource_header header;
    uint32_t offset[2];
    struct resource_trace trace;
    struct resource_vdev vdev;
};

/* Volatile: Linux writes to it while the core runs. */
extern volatile struct echo_table resource_table;
__attribute__((section(".resource_table"), used)) volatile struct echo_table resource_table = {
    .header = {.version = 1, .entries = 2},
    .offset = {offsetof(struct echo_table, trace), offsetof(struct echo_table, vdev)},
    .trace = {RESOURCE_TRACE, (uint32_t)trace_buffer, TRACE_SIZE, 0, "trace0"},
    .vdev = RPMSG_VDEV,
};

struct channel {
    const char *name;
    uint32_t address;
    uint32_t peer; /* 0: not known yet */
    uint32_t beats;
};

static struct channel channels[] = {
    {.name = "rpmsg-tty", .address = 0x401},
    {.name = "rpmsg-raw", .address = 0x402},
};

#define CHANNELS (sizeof(channels) / sizeof(channels[0]))

static void trace_message(const struct channel *channel, const struct rpmsg_message *message) {
    struct line line;

    line_begin(&line);
    line_add(&line, channel->name);
    line_add(&line, " got ");
    line_add_decimal(&line, (uint32_t)message->length);
    line_add(&line, " bytes from ");
    line_add_decimal(&line, message->source);
    trace_line(&line);
}

static void answer(struct channel *channel, struct rpmsg_message *message) {
    trace_message(channel, message);
    channel->peer = message->source;
    message->destination = message->source;
    message->source = channel->address;
    while (!rpmsg_send(message))
        continue;
}

static void echo_all(void) {
    static struct rpmsg_message message;

    while (rpmsg_receive(&message))
        for (size_t i = 0; i < CHANNELS; i++)
            if (channels[i].address == message.destination)
                answer(&channels[i], &message);
}

/* "CORE CHANNEL beat=K"; left out when Linux reads too slowly. */
static void beat(struct channel *channel) {
    static struct rpmsg_message message;
    struct line line;

    message.source = channel->address;
    message.destination = channel->peer;
    line_begin(&line);
    line_add(&line, channel->name);
    line_add(&line, " beat=");
    line_add_decimal(&line, ++channel->beats);
    line_add(&line, "\n");
    for (size_t i = 0; i < line.length; i++)
        message.data[i] = (uint8_t)line.text[i];
    message.length = line.length;
    rpmsg_send(&message);
}

static void beat_all(void) {
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels[i].peer)
            beat(&channels[i]);
}

int main(void) {
    struct line line;
    uint32_t heard, last;

    announce(&line, "echo");
    trace_line(&line);
    uart1_line(&line);
    rpmsg_open(&resource_table.vdev);
    for (size_t i = 0; i < CHANNELS; i++)
        rpmsg_announce(channels[i].name, channels[i].address);
    last = delay_now();
    for (;;) {
        /* Before the messages, so that whatever comes after them is heard. */
        heard = doorbell_heard();
        echo_all();
        while (doorbell_heard() == heard && delay_elapsed_ms(last) < PERIOD_MS)
            continue;
        if (delay_elapsed_ms(last) < PERIOD_MS)
            continue;
        last = delay_now();
        beat_all();
    }
}
