/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's init that uses its network through the kernel's stock drivers: one
 * of two that talk to each other.
 *
 * On the kernel's command line: net=ADDRESS (10.9.0.1 or so), mtu=N, and for
 * the one that does the work also peer=ADDRESS, mib=N (to be sent each way
 * over TCP; inmib=N: another number this way), flood=SECONDS, work=LIST (of
 * "ping,udp,out,in"; default: all).
 * Without peer= it serves, serves=N connections and no more:
 *
 *   TCP 7   eight bytes N; N > 0: N bytes come, their checksum goes back;
 *           N < 0: -N bytes go out, and their checksum
 *   UDP 7   comes back as it is
 *   UDP 9   is counted
 *
 * Both, meanwhile: outside=ADDRESS, outmib=N: N MiB to TCP port 7 there, and
 * back (who serves begins with that when somebody comes); keep=MIB: so much
 * memory is filled, and checked again and again;
 * drown=ADDRESS: UDP as fast as it goes, for ever, to the card 02:00:00:00:00:99
 * by that address; burn=1: nothing but computing, for ever, with no card at all;
 * stretch=SECONDS: ping and TCP out for so long each;
 * work=marks: what costs what, between marks (lab/mark.h) for a counter.
 * With end=1 the guest is switched off when all that is done.
 *
 * What it prints starts with "net "; each line is one result.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

/* Whatever of these is there, in this order. */
static const char *const modules[] = {"failover", "net_failover", "virtio_net",
                                      "xen-netfront"};

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *v = getenv(name);

    return v ? strtoul(v, NULL, 0) : otherwise;
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, text, &a.sin_addr);

    return a;
}

static void load_modules(void)
{
    char name[64];
    unsigned int i;
    int fd;

    for ( i = 0; i < sizeof(modules) / sizeof(modules[0]); i++ )
    {
        snprintf(name, sizeof(name), "/%s.ko", modules[i]);
        fd = open(name, O_RDONLY | O_CLOEXEC);
        if ( fd < 0 )
            continue;
        if ( syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST )
            printf("net module %s: %s\n", modules[i], strerror(errno));
        close(fd);
    }
}

/* ---- eth0 --------------------------------------------------------------- */

static int set(int s, struct ifreq *r, unsigned long what, const char *name)
{
    if ( !ioctl(s, what, r) )
        return 0;
    printf("net %s failed: %s\n", name, strerror(errno));

    return -1;
}

static void up(int s, const char *name, const char *ip)
{
    struct ifreq r = {0};
    struct sockaddr_in a = address(ip, 0);

    strcpy(r.ifr_name, name);
    memcpy(&r.ifr_addr, &a, sizeof(a));
    set(s, &r, SIOCSIFADDR, "address");
    a = address("255.255.255.0", 0);
    memcpy(&r.ifr_netmask, &a, sizeof(a));
    set(s, &r, SIOCSIFNETMASK, "netmask");
    ioctl(s, SIOCGIFFLAGS, &r);
    r.ifr_flags |= IFF_UP;
    set(s, &r, SIOCSIFFLAGS, "up");
}

static int configure(void)
{
    struct ifreq r = {.ifr_name = "eth0"};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
    const unsigned char *mac = (const unsigned char *)r.ifr_hwaddr.sa_data;

    for ( i = 0; i < 100 && ioctl(s, SIOCGIFHWADDR, &r); i++ )
        usleep(100000);
    if ( i == 100 )
    {
        printf("net card none\n");
        return -1;
    }
    printf("net card %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2],
           mac[3], mac[4], mac[5]);
    if ( getenv("mtu") )
    {
        r.ifr_mtu = (int)number("mtu", 1500);
        set(s, &r, SIOCSIFMTU, "mtu");
    }
    up(s, "lo", "127.0.0.1");
    up(s, "eth0", getenv("net"));
    ioctl(s, SIOCGIFMTU, &r);
    printf("net mtu %d\n", r.ifr_mtu);
    close(s);

    return 0;
}

/* ---- Data that can be checked ------------------------------------------- */

#define CHUNK 65536u

/* The bytes of position pos on: of no short period, so that a shift shows. */
static void make(uint8_t *buf, uint64_t pos, size_t len)
{
    size_t i;

    for ( i = 0; i < len; i += 8 )
    {
        uint64_t v = (pos + i) * 0x9e3779b97f4a7c15ull;

        v ^= v >> 29;
        memcpy(buf + i, &v, 8);
    }
}

static uint64_t sum(uint64_t s, const uint8_t *buf, size_t len)
{
    uint64_t v;
    size_t i;

    for ( i = 0; i < len; i += 8 )
    {
        memcpy(&v, buf + i, 8);
        s = (s ^ v) * 0x9e3779b97f4a7c15ull;
        s ^= s >> 32;
    }

    return s;
}

#define SLOW_US 100000u /* said at once, so that the console's time tells */

/* The longest time without anything coming in, of this process's stream. */
static uint64_t last_in, gap;

static void came_in(void)
{
    uint64_t now = now_us();

    if ( last_in && now - last_in > gap )
        gap = now - last_in;
    if ( last_in && now - last_in > SLOW_US )
        printf("net slow %lu us\n", (unsigned long)(now - last_in));
    last_in = now;
}

static int all(int fd, void *buf, size_t len, int out)
{
    uint8_t *p = buf;

    while ( len )
    {
        ssize_t n = out ? write(fd, p, len) : read(fd, p, len);

        if ( n <= 0 )
            return -1;
        if ( !out )
            came_in();
        p += n;
        len -= (size_t)n;
    }

    return 0;
}

/*
 * Sends len bytes, or takes them; their checksum.  -1 in *rc: broken off.
 * Says, as `name`, when it is a tenth on.
 */
static uint64_t stream(int fd, uint64_t len, int out, int *rc,
                       const char *name)
{
    static uint8_t buf[CHUNK];
    uint64_t pos, s = 0xcbf29ce484222325ull, tenth = len / 10 / CHUNK * CHUNK;

    *rc = 0;
    last_in = gap = 0;
    for ( pos = 0; pos < len && !*rc; pos += CHUNK )
    {
        if ( out )
            make(buf, pos, CHUNK);
        *rc = all(fd, buf, CHUNK, out);
        s = sum(s, buf, CHUNK);
        if ( name && pos && pos == tenth )
            printf("net %s-begun\n", name);
    }

    return s;
}

/* ---- Server ------------------------------------------------------------- */

#define SERVED 42 /* exit status */

static int serve_one(int fd)
{
    int64_t n;
    uint64_t s;
    int rc;

    if ( all(fd, &n, sizeof(n), 0) )
        return -1;
    s = stream(fd, (uint64_t)(n < 0 ? -n : n), n < 0, &rc, NULL);
    if ( !rc && n > 0 )
        printf("net gap-in %lu us\n", (unsigned long)gap);

    return rc ? rc : all(fd, &s, sizeof(s), 1);
}

static void begin_outside(void);

/* Each by a process of its own: who has died does not keep others waiting. */
static void serve_tcp(unsigned long connections)
{
    struct sockaddr_in a = address("0.0.0.0", 7);
    int s = socket(AF_INET, SOCK_STREAM, 0), status, fd;
    struct pollfd f = {.fd = s, .events = POLLIN};
    unsigned long done = 0;

    if ( bind(s, (void *)&a, sizeof(a)) || listen(s, 8) )
        printf("net listen failed: %s\n", strerror(errno));
    while ( !connections || done < connections )
    {
        if ( poll(&f, 1, 500) > 0 && (fd = accept(s, NULL, NULL)) >= 0 )
        {
            begin_outside();
            if ( !fork() )
                exit(serve_one(fd) ? 0 : SERVED);
            close(fd);
        }
        while ( waitpid(-1, &status, WNOHANG) > 0 )
            done += WIFEXITED(status) && WEXITSTATUS(status) == SERVED;
    }
}

static void serve_udp(uint16_t port, int echo)
{
    static uint8_t buf[CHUNK];
    struct sockaddr_in a = address("0.0.0.0", port);
    socklen_t len = sizeof(a);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    ssize_t n;
    unsigned long got = 0;

    bind(s, (void *)&a, sizeof(a));
    while ( (n = recvfrom(s, buf, sizeof(buf), 0, (void *)&a, &len)) >= 0 )
    {
        if ( echo )
            sendto(s, buf, (size_t)n, 0, (void *)&a, len);
        else if ( !(++got % 1000) )
            printf("net flooded %lu\n", got);
    }
}

static void serve(void)
{
    unsigned long connections = number("serves", 0);

    if ( !fork() )
        serve_udp(9, 0);
    if ( !fork() )
        serve_udp(7, 1);
    printf("net ready\n");
    serve_tcp(connections);
}

/* ---- Client ------------------------------------------------------------- */

static uint16_t icmp_sum(const uint16_t *p, size_t words)
{
    uint32_t s = 0;

    while ( words-- )
        s += *p++;
    s = (s & 0xffff) + (s >> 16);

    return (uint16_t)~(s + (s >> 16));
}

/* One echo request; microseconds to the answer, or -1 after a second. */
static long ping_once(int s, const struct sockaddr_in *to, uint16_t seq)
{
    struct
    {
        struct icmphdr h;
        uint8_t data[56];
    } p = {.h = {.type = ICMP_ECHO}};
    uint8_t buf[256];
    uint64_t start = now_us(), left;
    struct pollfd f = {.fd = s, .events = POLLIN};
    uint16_t answer;

    p.h.un.echo.id = htons(77);
    p.h.un.echo.sequence = htons(seq);
    p.h.checksum = icmp_sum((const void *)&p, sizeof(p) / 2);
    if ( sendto(s, &p, sizeof(p), 0, (const void *)to, sizeof(*to)) < 0 )
        return -1;
    while ( (left = now_us() - start) < 1000000 )
    {
        if ( poll(&f, 1, (int)((1000000 - left) / 1000)) <= 0 )
            break;
        /* After an IP header of 20 bytes. */
        if ( recv(s, buf, sizeof(buf), 0) < 28 || buf[20] != ICMP_ECHOREPLY )
            continue;
        memcpy(&answer, buf + 26, 2);
        if ( ntohs(answer) == seq )
            return (long)(now_us() - start);
    }

    return -1;
}

static void ping(const struct sockaddr_in *to, unsigned int nr,
                 const char *name)
{
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    unsigned long total = 0, worst = 0;
    unsigned int got = 0, i;

    for ( i = 0; i < nr; i++ )
    {
        long us = ping_once(s, to, (uint16_t)i);

        if ( us < 0 )
            continue;
        got++;
        total += (unsigned long)us;
        worst = (unsigned long)us > worst ? (unsigned long)us : worst;
    }
    printf("net %s %u of %u, %lu us, at most %lu us\n", name, got, nr,
           got ? total / got : 0, worst);
    close(s);
}

static void echo(const struct sockaddr_in *to)
{
    static uint8_t out[9000], in[9000];
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned int i, good = 0;
    struct pollfd f = {.fd = s, .events = POLLIN};

    for ( i = 0; i < 100; i++ )
    {
        size_t len = 1 + i * 89;

        make(out, i * 1000, sizeof(out));
        sendto(s, out, len, 0, (const void *)to, sizeof(*to));
        if ( poll(&f, 1, 1000) > 0 &&
             recv(s, in, sizeof(in), 0) == (ssize_t)len &&
             !memcmp(in, out, len) )
            good++;
    }
    printf("net udp %u of 100\n", good);
    close(s);
}

static void transfer(const struct sockaddr_in *to, int64_t n, const char *name)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), rc;
    uint64_t mine, theirs = 0, start = now_us(), us;

    if ( connect(s, (const void *)to, sizeof(*to)) ||
         all(s, &n, sizeof(n), 1) )
    {
        printf("net %s failed: %s\n", name, strerror(errno));
        close(s);
        return;
    }
    mine = stream(s, (uint64_t)(n < 0 ? -n : n), n > 0, &rc, name);
    if ( rc || all(s, &theirs, sizeof(theirs), 0) )
        printf("net %s broken off\n", name);
    us = now_us() - start;
    printf("net %s %s, %lu KiB/s\n", name, mine == theirs ? "right" : "WRONG",
           (unsigned long)((uint64_t)(n < 0 ? -n : n) * 1000000 / 1024 /
                           (us + 1)));
    close(s);
}

/* As fast as it goes; nobody answers. */
static void flood(const char *ip, unsigned long seconds)
{
    struct sockaddr_in to = address(ip, 9);
    uint8_t buf[1400] = {0};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    uint64_t end = now_us() + seconds * 1000000;
    unsigned long n = 0;

    while ( now_us() < end )
        n += sendto(s, buf, sizeof(buf), 0, (void *)&to, sizeof(to)) > 0;
    printf("net flood %lu\n", n);
    close(s);
}

/* For that long; what it got through, each second. */
static void stretch(const char *ip, unsigned long seconds)
{
    struct sockaddr_in to = address(ip, 7);
    uint64_t end = now_us() + seconds * 1000000, start = now_us(), n = 0;
    int64_t len = 1ll << 40;
    static uint8_t buf[CHUNK];
    int s = socket(AF_INET, SOCK_STREAM, 0);

    if ( connect(s, (const void *)&to, sizeof(to)) ||
         all(s, &len, sizeof(len), 1) )
        printf("net stretch failed: %s\n", strerror(errno));
    while ( now_us() < end && !all(s, buf, CHUNK, 1) )
        n += CHUNK;
    printf("net stretch %lu KiB/s\n",
           (unsigned long)(n * 1000000 / 1024 / (now_us() - start + 1)));
    close(s);
}

/* Nobody there answers, not even who has the address. */
static void drown(const char *ip)
{
    struct arpreq a = {.arp_flags = ATF_PERM | ATF_COM, .arp_dev = "eth0"};
    struct sockaddr_in to = address(ip, 0);
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    memcpy(&a.arp_pa, &to, sizeof(to));
    memcpy(a.arp_ha.sa_data, (uint8_t[]){2, 0, 0, 0, 0, 0x99}, 6);
    set(s, (void *)&a, SIOCSARP, "arp");
    close(s);
    printf("net drowning\n");
    flood(ip, 1000000);
}

/* What a guest that wants all the processor's time does to others by itself. */
static void burn(void)
{
    printf("net burning\n");
    for ( ;; )
        asm volatile ( "" );
}

/*
 * As much out as in, at the same time, as the other end sends everything
 * back: a child sends, and says by a pipe what the checksum is.
 */
static void outside(const char *ip, uint64_t len)
{
    struct sockaddr_in to = address(ip, 7);
    int s = socket(AF_INET, SOCK_STREAM, 0), p[2], rc;
    uint64_t sent = 0, back, start = now_us(), us;

    if ( pipe(p) || connect(s, (const void *)&to, sizeof(to)) )
    {
        printf("net outside failed: %s\n", strerror(errno));
        return;
    }
    if ( !fork() )
    {
        sent = stream(s, len, 1, &rc, NULL);
        all(p[1], &sent, sizeof(sent), 1);
        exit(rc);
    }
    close(p[1]);
    back = stream(s, len, 0, &rc, "outside");
    us = now_us() - start;
    printf("net gap-outside %lu us\n", (unsigned long)gap);
    printf("net outside %s, %lu KiB/s\n",
           !rc && !all(p[0], &sent, sizeof(sent), 0) && sent == back ? "right"
                                                                     : "WRONG",
           (unsigned long)(len * 1000000 / 1024 / (us + 1)));
}

static volatile sig_atomic_t at_end;

static void note_end(int signal)
{
    (void)signal;
    at_end = 1;
}

/* One look at all of it; lets others run meanwhile. */
static bool as_made(const uint8_t *mem, size_t len)
{
    uint8_t want[4096];
    bool good = true;
    size_t at;

    for ( at = 0; at < len; at += sizeof(want) )
    {
        make(want, at, sizeof(want));
        if ( memcmp(mem + at, want, sizeof(want)) )
        {
            printf("net memory BAD at %zu\n", at);
            good = false;
        }
        if ( at % (64 * sizeof(want)) == 0 )
            usleep(5000);
    }

    return good;
}

/*
 * Its memory is its own: fills it, and looks at it again and again, but without
 * keeping the others of its processor waiting: they would see that as a gap.
 * Once more after SIGUSR1.
 */
static void keep(size_t len)
{
    uint8_t *mem = malloc(len);
    bool last;

    if ( !mem )
        return;
    nice(19);
    make(mem, 0, len);
    do
    {
        last = at_end;
        if ( as_made(mem, len) )
            printf("net memory ok%s\n", last ? " at the end" : "");
        if ( !last )
            sleep(1);
    } while ( !last );
}

/* ---- For a counter of instructions ---------------------------------------
 */

#define DOORBELLS 1000
#define BURSTS    100
#define BURST     32

/* The card's I/O BAR, or 0: it is no virtio card. */
static uint16_t notify_port(void)
{
    if ( iopl(3) )
        return 0;
    outl(0x80000800, 0xcf8);
    if ( inl(0xcfc) != 0x10411af4 )
        return 0;
    outl(0x80000810, 0xcf8);

    return (uint16_t)(inl(0xcfc) & ~3u);
}

static void bursts(int s, const struct sockaddr_in *to, unsigned int size)
{
    static uint8_t buf[1472];
    struct iovec v = {buf, sizeof(buf)};
    struct mmsghdr m[BURST];
    unsigned int i;

    for ( i = 0; i < BURST; i++ )
        m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)to,
                                            .msg_namelen = sizeof(*to),
                                            .msg_iov = &v,
                                            .msg_iovlen = 1}};
    for ( i = 0; i < BURSTS; i++ )
    {
        if ( size && sendmmsg(s, m, size, 0) != (int)size )
            printf("net marks: not sent\n");
        usleep(20000);
    }
}

static void marks(const char *ip)
{
    struct sockaddr_in to = address(ip, 9);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    uint16_t port = notify_port();
    unsigned int i;

    bursts(s, &to, BURST); /* caches, neighbours */
    MARK(20);
    for ( i = 0; port && i < DOORBELLS; i++ )
        outw(1, port);
    MARK(21);
    for ( i = 0; i < DOORBELLS; i++ )
        outl(0x80000000, 0xcf8);
    MARK(22);
    bursts(s, &to, 0);
    MARK(23);
    bursts(s, &to, 1);
    MARK(24);
    bursts(s, &to, BURST);
    MARK(25);
    close(s);
    printf("net marks done\n");
}

static int wanted(const char *what)
{
    const char *list = getenv("work");

    return !list || strstr(list, what);
}

static void work(const char *ip)
{
    struct sockaddr_in icmp = address(ip, 0), port = address(ip, 7);
    int64_t bytes = (int64_t)number("mib", 8) << 20;
    int64_t in = (int64_t)number("inmib", 0) << 20;
    unsigned int i;

    /* Until the other one is up. */
    for ( i = 0; i < 60; i++ )
    {
        int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
        long us = ping_once(s, &icmp, (uint16_t)(1000 + i));

        close(s);
        if ( us >= 0 )
            break;
    }
    if ( getenv("work") && wanted("marks") )
        marks(ip);
    if ( wanted("ping") )
        ping(&icmp, 50, "ping");
    if ( wanted("udp") )
        echo(&port);
    if ( wanted("out") )
        transfer(&port, bytes, "out");
    if ( wanted("in") )
        transfer(&port, -(in ? in : bytes), "in");
    while ( number("stretch", 0) )
    {
        ping(&icmp, 100, "ping");
        stretch(ip, number("stretch", 0));
    }
    if ( number("flood", 0) )
    {
        if ( !fork() )
        {
            flood(ip, number("flood", 0));
            exit(0);
        }
        ping(&icmp, 20, "ping-in-flood");
        wait(NULL);
        ping(&icmp, 20, "ping-after");
    }
    printf("net done\n");
}

static pid_t outside_pid;

static void begin_outside(void)
{
    if ( !outside_pid && getenv("outside") && !(outside_pid = fork()) )
    {
        outside(getenv("outside"), (uint64_t)number("outmib", 1) << 20);
        exit(0);
    }
}

static void start(void)
{
    pid_t keeper = 0;

    signal(SIGUSR1, note_end);
    if ( getenv("keep") && !(keeper = fork()) )
    {
        keep((size_t)number("keep", 1) << 20);
        exit(0);
    }
    if ( getenv("peer") )
        begin_outside();
    if ( getenv("drown") )
        drown(getenv("drown"));
    else if ( getenv("peer") )
        work(getenv("peer"));
    else
        serve();
    if ( outside_pid )
        waitpid(outside_pid, NULL, 0);
    if ( keeper )
    {
        kill(keeper, SIGUSR1);
        waitpid(keeper, NULL, 0);
    }
    printf("net all done\n");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    mount("proc", "/proc", "proc", 0, NULL);
    load_modules();
    if ( getenv("burn") )
        burn();
    if ( !getenv("net") || configure() )
        printf("net done\n");
    else
        start();
    if ( getenv("end") )
    {
        sleep(2); /* for the console */
        reboot(RB_POWER_OFF);
    }
    for ( ;; )
        pause();
}
