/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of secure I/O management as a vhost-user backend: a switch
 * between drivers in other processes, as DPDK's virtio_user, one for each
 * socket.
 *
 *   vhost CPU SOCKET...
 *
 * It listens on the sockets until each has a driver, then polls for ever: the
 * bus and device side of all ports by one thread.  Frames go by address, with
 * all of the engine's checks; port N has the address 02:00:00:00:00:0N.
 * Compiled as inside Xen (the engine, not this file).
 *
 * Source: "Vhost-user Protocol", docs/interop/vhost-user.rst of QEMU 10.0.
 */
#define _GNU_SOURCE
#include <err.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cloister/siom.h>
#include <cloister/virtio.h>

#define PORTS   8
#define REGIONS 8
#define BURST   64u
#define MEMORY  (128u << 10)

enum
{
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
};

#define REPLY    5u /* version 1, and bit 2 */
#define FEATURES (VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MRG_RXBUF)

struct message
{
    uint32_t request, flags, size;
    union
    {
        uint64_t u64;
        struct
        {
            uint32_t index, num;
        } state;
        struct
        {
            uint32_t index, flags;
            uint64_t desc, used, avail, log;
        } addr;
        struct
        {
            uint32_t nr, pad;
            struct
            {
                uint64_t guest, size, user, offset;
            } region[REGIONS];
        } memory;
    };
} __attribute__((packed));

#define HEADER 12u

struct driver
{
    struct cl_port port; /* first */
    int fd;
    bool connected;
    unsigned int kicks; /* queues that may begin */
    struct cl_siom_saved state;
    unsigned int regions;
    struct
    {
        uint64_t user, size;
        uint8_t *va;
    } region[REGIONS];
};

static struct driver drivers[PORTS];
static unsigned int nr_drivers;
static struct cl_siom siom;

/* ---- The engine's platform ---------------------------------------------- */

/* What is "guest-physical" is the driver's virtual address. */
static void *at(const struct driver *d, uint64_t addr)
{
    unsigned int i;

    for ( i = 0; i < d->regions; i++ )
        if ( addr - d->region[i].user < d->region[i].size )
            return d->region[i].va + (addr - d->region[i].user);

    return NULL;
}

static void *page_get(void *vm, uint64_t gfn, bool write)
{
    (void)write;

    return at(vm, gfn << 12);
}

static void page_put(void *vm, void *page)
{
    (void)vm;
    (void)page;
}

static uint32_t generation(void *vm)
{
    (void)vm;

    return 0;
}

static void msi(void *vm, uint64_t address, uint32_t data)
{
    (void)vm;
    (void)address;
    (void)data;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const struct cl_siom_platform platform = {
    .page_get = page_get,
    .page_put = page_put,
    .generation = generation,
    .msi = msi,
    .now_ns = now_ns,
};

/* ---- vhost-user ----------------------------------------------------------- */

static void map_memory(struct driver *d, const struct message *m, int *fds)
{
    unsigned int i;

    for ( i = 0; i < m->memory.nr && i < REGIONS; i++ )
    {
        uint64_t size = m->memory.region[i].size,
                 offset = m->memory.region[i].offset;
        uint8_t *va = mmap(NULL, size + offset, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_POPULATE, fds[i], 0);

        if ( va == MAP_FAILED )
            err(1, "memory of a driver");
        d->region[i].user = m->memory.region[i].user;
        d->region[i].size = size;
        d->region[i].va = va + offset;
        close(fds[i]);
        fds[i] = -1;
    }
    d->regions = i;
}

static void reply(const struct driver *d, struct message *m, uint32_t size)
{
    m->flags = REPLY;
    m->size = size;
    if ( write(d->fd, m, HEADER + size) < 0 )
        err(1, "reply");
}

static void handle(struct driver *d, struct message *m, int *fds)
{
    unsigned int q = m->state.index & 1; /* 0: receive, 1: transmit */

    switch ( m->request )
    {
    case GET_FEATURES:
        m->u64 = FEATURES;
        reply(d, m, 8);
        break;
    case SET_FEATURES:
        d->state.features = m->u64;
        break;
    case SET_MEM_TABLE:
        map_memory(d, m, fds);
        break;
    case SET_VRING_NUM:
        d->state.queue[q].size = (uint16_t)m->state.num;
        break;
    case SET_VRING_ADDR:
        d->state.queue[q].desc = m->addr.desc;
        d->state.queue[q].avail = m->addr.avail;
        d->state.queue[q].used = m->addr.used;
        break;
    case SET_VRING_BASE:
        d->state.queue[q].last_avail = (uint16_t)m->state.num;
        d->state.queue[q].used_idx = (uint16_t)m->state.num;
        d->state.queue[q].signalled = (uint16_t)m->state.num;
        break;
    case GET_VRING_BASE: /* the driver ends */
        exit(0);
    case SET_VRING_KICK:
        d->state.queue[q].enabled = 1;
        d->kicks |= 1u << q;
        break;
    }
}

static void receive(struct driver *d)
{
    struct message m = {0};
    int fds[REGIONS];
    char control[CMSG_SPACE(sizeof(fds))];
    struct iovec v = {&m, HEADER};
    struct msghdr h = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    struct cmsghdr *c;
    unsigned int i;

    memset(fds, 0xff, sizeof(fds));
    if ( recvmsg(d->fd, &h, 0) != HEADER || m.size > sizeof(m) - HEADER ||
         (m.size && recv(d->fd, &m.u64, m.size, MSG_WAITALL) != m.size) )
        exit(0);
    c = CMSG_FIRSTHDR(&h);
    if ( c && c->cmsg_type == SCM_RIGHTS )
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    handle(d, &m, fds);
    for ( i = 0; i < REGIONS; i++ )
        if ( fds[i] >= 0 && m.request != SET_VRING_KICK )
            close(fds[i]);
}

/* ---- Ports ---------------------------------------------------------------- */

static void get_memory(struct cl_memory *m)
{
    m->size = MEMORY;
    m->base = aligned_alloc(4096, MEMORY);
    if ( !m->base )
        errx(1, "no memory");
    memset(m->base, 0, MEMORY);
}

static void join(struct driver *d)
{
    const struct cl_siom_config c = {
        .mac = {2, 0, 0, 0, 0, (uint8_t)(d - drivers + 1)}, .mtu = 1500};
    struct cl_siom_saved *s = &d->state;
    unsigned int i;

    get_memory(&d->port.tx);
    get_memory(&d->port.rx);
    s->revision = CL_SIOM_SAVED_REVISION;
    s->status = VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
    s->cfg[1][1] = 7; /* bus master */
    s->config_vector = CL_NO_VECTOR;
    s->queue[CL_QUEUE_CTRL].size = 1;
    for ( i = 0; i < CL_QUEUES; i++ )
        s->queue[i].vector = CL_NO_VECTOR;
    /* It is polled: no doorbells. */
    for ( i = 0; i < 2; i++ )
        *(uint16_t *)at(d, s->queue[i].used) = VIRTIO_USED_NO_NOTIFY;
    if ( cl_siom_port_add(&siom, &d->port, d, &c) ||
         cl_siom_load(&d->port, s) )
        errx(1, "the engine refuses a driver");
}

static void work(void)
{
    struct cl_port *port;
    unsigned int i, from = 0;

    for ( i = 0; i < nr_drivers; i++ )
        cl_siom_tx(&drivers[i].port, BURST);
    cl_siom_poll(&siom, BURST * nr_drivers);
    for ( i = 0; i < nr_drivers &&
                 (port = cl_siom_rx_next(&siom, &from)) != NULL; i++ )
        cl_siom_rx(port, BURST);
}

static int listen_on(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    if ( bind(s, (void *)&a, sizeof(a)) || listen(s, 1) )
        err(1, "%s", path);

    return s;
}

/* What drivers have to say, in at most `ms`; d->fd listens at first. */
static void attend(int ms)
{
    struct pollfd p[PORTS];
    unsigned int i;

    for ( i = 0; i < nr_drivers; i++ )
        p[i] = (struct pollfd){.fd = drivers[i].fd, .events = POLLIN};
    poll(p, nr_drivers, ms);
    for ( i = 0; i < nr_drivers; i++ )
    {
        struct driver *d = &drivers[i];

        if ( p[i].revents && d->connected )
            receive(d);
        else if ( p[i].revents )
        {
            d->fd = accept(d->fd, NULL, NULL);
            d->connected = true;
        }
    }
}

/* Both queues of all of them may begin. */
static bool ready(void)
{
    unsigned int i;

    for ( i = 0; i < nr_drivers; i++ )
        if ( drivers[i].kicks != 3 )
            return false;

    return true;
}

int main(int argc, char **argv)
{
    cpu_set_t cpu;
    unsigned int i, n;

    if ( argc < 3 || argc - 2 > PORTS )
        errx(2, "usage: vhost CPU SOCKET...");
    CPU_ZERO(&cpu);
    CPU_SET(atoi(argv[1]), &cpu);
    if ( sched_setaffinity(0, sizeof(cpu), &cpu) )
        err(1, "CPU %s", argv[1]);
    nr_drivers = (unsigned int)argc - 2;
    cl_siom_init(&siom, &platform, NULL, 0);
    for ( i = 0; i < nr_drivers; i++ )
        drivers[i].fd = listen_on(argv[i + 2]);
    while ( !ready() )
        attend(1000);
    for ( i = 0; i < nr_drivers; i++ )
        join(&drivers[i]);
    for ( ;; attend(0) )
        for ( n = 0; n < 20000; n++ )
            work();
}
