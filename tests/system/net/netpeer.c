/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's init that uses its network through the kernel's stock drivers: one
 * of two that talk to each other.
 *
 * On the kernel's command line: net=ADDRESS (10.9.0.1 or so), mtu=N, and for
 * the one that does the work also peer=ADDRESS, mib=N (to be sent each way
 * over TCP), flood=SECONDS.  Without peer= it serves:
 *
 *   TCP 7   eight bytes N; N > 0: N bytes come, their checksum goes back;
 *           N < 0: -N bytes go out, and their checksum
 *   UDP 7   comes back as it is
 *   UDP 9   is counted
 *
 * What it prints starts with "net "; each line is one result.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
    size_t i;

    for ( i = 0; i < len; i++ )
        s = (s ^ buf[i]) * 0x100000001b3ull;

    return s;
}

static int all(int fd, void *buf, size_t len, int out)
{
    uint8_t *p = buf;

    while ( len )
    {
        ssize_t n = out ? write(fd, p, len) : read(fd, p, len);

        if ( n <= 0 )
            return -1;
        p += n;
        len -= (size_t)n;
    }

    return 0;
}

/* Sends len bytes, or takes them; their checksum.  -1 in *rc: broken off. */
static uint64_t stream(int fd, uint64_t len, int out, int *rc)
{
    static uint8_t buf[CHUNK];
    uint64_t pos, s = 0xcbf29ce484222325ull;

    *rc = 0;
    for ( pos = 0; pos < len && !*rc; pos += CHUNK )
    {
        if ( out )
            make(buf, pos, CHUNK);
        *rc = all(fd, buf, CHUNK, out);
        s = sum(s, buf, CHUNK);
    }

    return s;
}

/* ---- Server ------------------------------------------------------------- */

static void serve_one(int fd)
{
    int64_t n;
    uint64_t s;
    int rc;

    if ( !all(fd, &n, sizeof(n), 0) )
    {
        s = stream(fd, (uint64_t)(n < 0 ? -n : n), n < 0, &rc);
        if ( !rc )
            all(fd, &s, sizeof(s), 1);
    }
    close(fd);
}

static void serve_tcp(void)
{
    struct sockaddr_in a = address("0.0.0.0", 7);
    int s = socket(AF_INET, SOCK_STREAM, 0), fd;

    if ( bind(s, (void *)&a, sizeof(a)) || listen(s, 8) )
        printf("net listen failed: %s\n", strerror(errno));
    while ( (fd = accept(s, NULL, NULL)) >= 0 )
        serve_one(fd);
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
    if ( !fork() )
        serve_tcp();
    if ( !fork() )
        serve_udp(9, 0);
    printf("net ready\n");
    serve_udp(7, 1);
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
    mine = stream(s, (uint64_t)(n < 0 ? -n : n), n > 0, &rc);
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

static void work(const char *ip)
{
    struct sockaddr_in icmp = address(ip, 0), port = address(ip, 7);
    int64_t bytes = (int64_t)number("mib", 8) << 20;
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
    ping(&icmp, 50, "ping");
    echo(&port);
    transfer(&port, bytes, "out");
    transfer(&port, -bytes, "in");
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

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    mount("proc", "/proc", "proc", 0, NULL);
    load_modules();
    if ( !getenv("net") || configure() )
        printf("net done\n");
    else if ( getenv("peer") )
        work(getenv("peer"));
    else
        serve();
    for ( ;; )
        pause();
}
