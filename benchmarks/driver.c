/* The SMSC of the benchmark, in C: floods the ESME that binds to it and times the replies.
 *
 * In C, so that what is measured is the gateway and not its peer. It prints its port as JSON, loads
 * the first ESME that binds, prints the result as JSON.
 *
 * Options: --messages N --warm-up N --window N [--rate R [--seconds S]] [--people N] [--first N]
 *          [--enquire 1] [--respond-after S] [--seed N]
 * Phones and documents are picked at random and without repetition out of --people, from number
 * --first on, since a nation does not text in the order of its documents.
 * --rate: an open loop. What the ESME does not read waits here as it would in an SMSC, and its
 * latency is counted from when it was due. With --seconds no SMS is begun after that time.
 * --enquire 1: an enquire_link each second of an open loop.
 * --respond-after: seconds until a submit_sm has its response, of a closed loop: a distant SMSC.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SUBMIT_SM = 0x4, DELIVER_SM = 0x5, UNBIND = 0x6, ENQUIRE_LINK = 0x15,
    BIND_RECEIVER = 0x1, BIND_TRANSMITTER = 0x2, BIND_TRANSCEIVER = 0x9,
    HEADER_BYTES = 16, READ_BYTES = 1 << 18, WRITE_BYTES = 1 << 20, BURST_MAX = 500,
    BIND_MAX_MS = 120000, STATUSES_MAX = 32, OWING_MAX = 1 << 17, ENQUIRIES_MAX = 4096, FIRST_ENQUIRY = 0x7F000000,
    ACKNOWLEDGED = 1, REFUSED = 2, REPLIED = 4,
};
static const uint32_t RESPONSE = 0x80000000u, DELIVER_SM_RESP = 0x80000005u;
static const double SILENCE_MAX_S = 30; /* as long as an SMSC may take to answer */
static const double TICK_S = 0.001;     /* of a fast open loop: not a wake-up for each SMS */
static const double PAUSE_MAX_S = 0.1;
static const long long FIRST_PHONE = 994500000000LL;
static const long FIRST_DOCUMENT = 10000000;

static long messages, warm_up, window_size = 1000, people, first, seed = 1;
static double rate, seconds, respond_after;
static struct { double at; uint32_t sequence; } *owing; /* responses, a ring */
static long owing_first, owing_end;
static int enquiring;
static int peer;
static long *chosen;           /* who sends the n-th SMS */
static long *number_of;        /* which SMS a person sent, -1: none */
static double *sent_at, *latencies;
static unsigned char *fate;    /* of the n-th SMS: ACKNOWLEDGED, REFUSED, REPLIED */
static long sent, acknowledged, replied, refused, measured, twice;
static long owed; /* acknowledged and without a reply */
static struct { uint32_t status; long count; } refusals[STATUSES_MAX];
static double enquired_at[ENQUIRIES_MAX], enquiry_longest_s;
static long enquired, enquiries_answered;
static unsigned char *incoming, *outgoing;
static size_t held, queued;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "driver: %s: %s\n", what, errno ? strerror(errno) : "the ESME closed");
    exit(1);
}

static uint32_t get32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void put32(unsigned char *at, uint32_t value)
{
    at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
}

static void flush_out(void)
{
    size_t done = 0;
    while (done < queued) {
        ssize_t wrote = write(peer, outgoing + done, queued - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN)
            break; /* only in the open loop, which comes back */
        if (wrote <= 0)
            fail("write");
        done += wrote;
    }
    memmove(outgoing, outgoing + done, queued -= done);
}

static unsigned char *begin(size_t length, uint32_t command, uint32_t sequence)
{
    if (queued + length > WRITE_BYTES)
        flush_out();
    if (queued + length > WRITE_BYTES) {
        fprintf(stderr, "driver: the ESME does not read its responses\n");
        exit(1);
    }
    unsigned char *at = outgoing + queued;
    put32(at, length), put32(at + 4, command), put32(at + 8, 0), put32(at + 12, sequence);
    queued += length;
    return at + HEADER_BYTES;
}

static void deliver(long number, double at)
{
    char text[32], phone[24];
    int text_length = sprintf(text, "2 AZE %ld", FIRST_DOCUMENT + first + chosen[number]);
    int phone_length = sprintf(phone, "%lld", FIRST_PHONE + first + chosen[number]);
    size_t body = 3 + phone_length + 1 + 2 + 5 + 9 + 1 + text_length;
    unsigned char *out = begin(HEADER_BYTES + body, DELIVER_SM, number % 0x7FFFFFFE + 1);
    memcpy(out, "\0\1\1", 3), out += 3;                            /* service_type, TON, NPI */
    memcpy(out, phone, phone_length + 1), out += phone_length + 1; /* source_addr */
    memcpy(out, "\0\1" "8103\0", 7), out += 7;
    memset(out, 0, 9), out += 9; /* esm_class to sm_default_msg_id */
    *out++ = text_length;
    memcpy(out, text, text_length);
    sent_at[number] = at;
    sent++;
}

/* submit_sm: 1 service_type, 2 TON and NPI, source_addr, 2 TON and NPI, destination_addr. */
static void note_reply(const unsigned char *pdu, uint32_t length, double now)
{
    const unsigned char *at = pdu + HEADER_BYTES + 1, *end = pdu + length;
    at += 3 - 1;                        /* service_type is empty: its NUL was skipped above */
    at += strnlen((const char *)at, end - at) + 1;
    at += 2;
    long person = atoll((const char *)at) - FIRST_PHONE - first;
    at += strnlen((const char *)at, end - at) + 1;
    if (*at & 0x40) { /* UDH: of a reply in segments the last one counts */
        const unsigned char *udh = memmem(at, end - at, "\5\0\3", 3);
        if (udh && udh[4] != udh[5])
            return;
    }
    if (person < 0 || person >= people || number_of[person] < 0) {
        fprintf(stderr, "driver: a reply to a phone that sent nothing\n");
        exit(1);
    }
    long number = number_of[person];
    if (fate[number] & REPLIED) {
        twice++;
        return;
    }
    owed -= fate[number] & ACKNOWLEDGED;
    fate[number] |= REPLIED;
    replied++;
    if (number >= warm_up)
        latencies[measured++] = now - sent_at[number];
}

static void note_response(uint32_t sequence, uint32_t status)
{
    long number = (long)sequence - 1;
    if (number < 0 || number >= sent)
        fail("a response to nothing");
    fate[number] |= status ? REFUSED : ACKNOWLEDGED;
    if (!status) {
        acknowledged++, owed += !(fate[number] & REPLIED);
        return;
    }
    refused++;
    int at = 0;
    while (at < STATUSES_MAX - 1 && refusals[at].count && refusals[at].status != status)
        at++;
    refusals[at].status = status, refusals[at].count++;
}

/* One each second, however long the answers take; they come in order. */
static void enquire(double now, double started)
{
    if (!enquiring || enquired >= ENQUIRIES_MAX || now < started + enquired)
        return;
    begin(HEADER_BYTES, ENQUIRE_LINK, FIRST_ENQUIRY + enquired);
    enquired_at[enquired++] = now;
}

static void note_enquiry(double now)
{
    if (enquiries_answered >= enquired)
        return;
    double waited = now - enquired_at[enquiries_answered];
    if (waited > enquiry_longest_s)
        enquiry_longest_s = waited;
    enquiries_answered++;
}

static void respond(uint32_t sequence)
{
    static unsigned long message_id;
    char id[20];
    int id_length = sprintf(id, "%lx", ++message_id) + 1;
    memcpy(begin(HEADER_BYTES + id_length, SUBMIT_SM | RESPONSE, sequence), id, id_length);
}

/* Respond to what is old enough; seconds until the next one is, -1: none waits. */
static double respond_in_time(void)
{
    double now = now_s();
    for (; owing_first < owing_end; owing_first++) {
        double wait = owing[owing_first % OWING_MAX].at - now;
        if (wait > 0) {
            flush_out();
            return wait;
        }
        respond(owing[owing_first % OWING_MAX].sequence);
    }
    flush_out();
    return -1;
}

/* Take what came and answer it; whether the peer bound. */
static int read_in(double timeout_s)
{
    if (timeout_s >= 0) {
        struct pollfd waiting = {peer, POLLIN, 0};
        struct timespec t = {(time_t)timeout_s, (long)((timeout_s - (time_t)timeout_s) * 1e9)};
        if (ppoll(&waiting, 1, &t, NULL) <= 0)
            return 0;
    }
    errno = 0;
    ssize_t got = read(peer, incoming + held, READ_BYTES - held);
    if (got <= 0)
        fail("read");
    held += got;
    double now = now_s();
    size_t at = 0;
    int bound = 0;
    while (held - at >= HEADER_BYTES) {
        const unsigned char *pdu = incoming + at;
        uint32_t length = get32(pdu), command = get32(pdu + 4), sequence = get32(pdu + 12);
        if (length < HEADER_BYTES || length > READ_BYTES)
            fail("command_length");
        if (held - at < length)
            break;
        if (command == SUBMIT_SM) {
            note_reply(pdu, length, now);
            if (respond_after > 0) {
                if (owing_end - owing_first == OWING_MAX)
                    fail("more in the window than it holds");
                owing[owing_end % OWING_MAX].at = now + respond_after;
                owing[owing_end++ % OWING_MAX].sequence = sequence;
            } else {
                respond(sequence);
            }
        } else if (command == DELIVER_SM_RESP) {
            note_response(sequence, get32(pdu + 8));
        } else if (command == (ENQUIRE_LINK | RESPONSE)) {
            note_enquiry(now);
        } else if (command == BIND_RECEIVER || command == BIND_TRANSMITTER
                   || command == BIND_TRANSCEIVER) {
            memcpy(begin(HEADER_BYTES + 6, command | RESPONSE, sequence), "bench", 6);
            bound = 1;
        } else if (command == ENQUIRE_LINK || command == UNBIND) {
            begin(HEADER_BYTES, command | RESPONSE, sequence);
        }
        at += length;
    }
    memmove(incoming, incoming + at, held -= at);
    flush_out();
    return bound;
}

static double closed_loop(long *counted_from)
{
    double began = now_s(), started = 0;
    while (replied + refused < messages) {
        if (!started && replied >= warm_up)
            started = now_s(), *counted_from = replied;
        long room = window_size - (sent - replied - refused);
        if (room > messages - sent)
            room = messages - sent;
        if (room > 0) {
            double now = now_s();
            for (long i = 0; i < room && i < BURST_MAX; i++)
                deliver(sent, now);
            flush_out();
        }
        double wait = respond_after > 0 ? respond_in_time() : -1;
        read_in(room > BURST_MAX ? 0 : wait);
    }
    return started ? started : began; /* too much was put off for the warm-up to end: count all */
}

/* Offers at the rate, then waits until all that was taken has its reply. elapsed_s, replied_then:
 * as they were when the offering had ended. */
static void open_loop(long *counted_from, double *elapsed_s, long *replied_then, long *offered)
{
    double began = now_s(), started = warm_up ? 0 : began, heard = began, offered_until = 0;
    fcntl(peer, F_SETFL, fcntl(peer, F_GETFL) | O_NONBLOCK);
    for (;;) {
        double now = now_s();
        if (!started && replied >= warm_up)
            started = now, *counted_from = replied;
        long due = (long)((now - began) * rate) + 1;
        if (due > messages)
            due = messages;
        int offering = sent < messages && (!seconds || now < began + seconds);
        if (offering)
            *offered = due;
        else if (!offered_until) {
            if (seconds && !started) /* the warm-up never ended: count all */
                started = began;
            offered_until = now, *elapsed_s = now - started, *replied_then = replied;
        }
        else if (acknowledged + refused >= sent && !owed && enquiries_answered == enquired)
            break;
        while (offering && sent < due && queued < WRITE_BYTES / 2)
            deliver(sent, began + sent / rate);
        enquire(now, began);
        flush_out();
        double pause = offering ? began + sent / rate - now_s() : PAUSE_MAX_S;
        if (pause < (rate * TICK_S > 1 ? TICK_S : 0))
            pause = rate * TICK_S > 1 ? TICK_S : 0;
        if (pause > PAUSE_MAX_S)
            pause = PAUSE_MAX_S;
        struct pollfd waiting = {peer, POLLIN | (queued ? POLLOUT : 0), 0};
        struct timespec t = {0, (long)(pause * 1e9)};
        if (ppoll(&waiting, 1, &t, NULL) > 0 && waiting.revents & ~POLLOUT)
            read_in(-1), heard = now_s();
        else if (now - heard > SILENCE_MAX_S && !offering)
            break;
    }
    if (!seconds)
        *elapsed_s = now_s() - (started ? started : began), *replied_then = replied;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile(double share)
{
    long at = (long)(measured * share);
    return measured ? latencies[at < measured ? at : measured - 1] : 0;
}

static void *space(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        fail("memory");
    return memory;
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--messages")) messages = atol(argv[i + 1]);
        else if (!strcmp(argv[i], "--warm-up")) warm_up = atol(argv[i + 1]);
        else if (!strcmp(argv[i], "--window")) window_size = atol(argv[i + 1]);
        else if (!strcmp(argv[i], "--rate")) rate = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--people")) people = atol(argv[i + 1]);
        else if (!strcmp(argv[i], "--seconds")) seconds = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--first")) first = atol(argv[i + 1]);
        else if (!strcmp(argv[i], "--enquire")) enquiring = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--respond-after")) respond_after = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--seed")) seed = atol(argv[i + 1]);
        else { fprintf(stderr, "driver: no option %s\n", argv[i]); return 2; }
    }
    if (messages < 1) { fprintf(stderr, "driver: --messages is needed\n"); return 2; }
    if (people < messages)
        people = messages;
    chosen = space(people, sizeof *chosen), number_of = space(people, sizeof *number_of);
    sent_at = space(messages, sizeof *sent_at), latencies = space(messages, sizeof *latencies);
    fate = space(messages, 1), owing = space(OWING_MAX, sizeof *owing);
    incoming = space(READ_BYTES, 1), outgoing = space(WRITE_BYTES, 1);
    srand48(seed);
    for (long i = 0; i < people; i++)
        chosen[i] = i, number_of[i] = -1;
    for (long i = 0; i < messages; i++) { /* Fisher and Yates, as far as it is needed */
        long other = i + (long)(drand48() * (people - i)), kept = chosen[i];
        chosen[i] = chosen[other], chosen[other] = kept;
        number_of[chosen[i]] = i;
    }
    int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(server, (void *)&address, size) || listen(server, 4)
        || getsockname(server, (void *)&address, &size))
        fail("listen");
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    struct pollfd waiting = {server, POLLIN, 0};
    if (poll(&waiting, 1, BIND_MAX_MS) == 0) {
        fprintf(stderr, "driver: no ESME came\n");
        exit(1);
    }
    if ((peer = accept(server, NULL, NULL)) < 0)
        fail("accept");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    while (!read_in(-1))
        ;
    long counted_from = 0, replied_then = 0, offered = messages;
    double elapsed_s = 0;
    if (rate > 0) {
        open_loop(&counted_from, &elapsed_s, &replied_then, &offered);
    } else {
        double started = closed_loop(&counted_from);
        elapsed_s = now_s() - started, replied_then = replied;
    }
    long enquiries_lost = enquired - enquiries_answered;
    if (enquiries_lost) /* it has waited until now */
        note_enquiry(now_s());
    qsort(latencies, measured, sizeof *latencies, ascending);
    printf("{\"replies\": %ld, \"elapsed_s\": %.6f, \"p50_s\": %.6f, \"p95_s\": %.6f,"
           " \"p99_s\": %.6f, \"refused\": {",
           replied_then - counted_from, elapsed_s, percentile(.5), percentile(.95),
           percentile(.99));
    for (int i = 0; i < STATUSES_MAX && refusals[i].count; i++)
        printf("%s\"0x%08X\": %ld", i ? ", " : "", refusals[i].status, refusals[i].count);
    printf("}, \"offered\": %ld, \"sent\": %ld, \"acknowledged\": %ld, \"unanswered\": %ld,"
           " \"twice\": %ld, \"enquired\": %ld, \"enquiries_lost\": %ld,"
           " \"enquiry_longest_s\": %.6f}\n",
           offered, sent, acknowledged, owed, twice, enquired, enquiries_lost,
           enquiry_longest_s);
    return 0;
}
