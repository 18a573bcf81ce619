/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest's init.
 *
 * Claim:  a guest can do no harm through its virtual PCI bus and network card,
 *         whatever it does to them.
 * Method: takes the card from the kernel's driver and walks the PCI and virtio
 *         state machines at random (walk=STEPS, seed=N on the kernel's command
 *         line): configuration space, both BARs, queues of random places and
 *         sizes, descriptors of random contents, doorbells.  Half of its pages
 *         are never named to the device: they must keep their contents.
 *
 * With deaf=1 it does none of this: its card is up, and never has a buffer.
 *
 * Prints "net walk STEPS of STEPS, guards N bad, last status S".
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define DEVICE "0000:00:01.0"
#define PAGES 64u /* even ones are for the device, odd ones are guards */
#define PAGE 4096u

static uint8_t *mem;
static uint64_t frame[PAGES]; /* guest frame numbers */
static volatile uint8_t *bar; /* the memory BAR */
static uint64_t state;
static unsigned long rung; /* doorbells, by strings */

static uint32_t rnd(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;

    return below ? (uint32_t)(state >> 16) % below : (uint32_t)(state >> 16);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if ( fd < 0 || write(fd, text, strlen(text)) < 0 )
        printf("net walk: cannot write %s\n", path);
    if ( fd >= 0 )
        close(fd);
}

static uint32_t config(unsigned int reg, uint32_t value, int write)
{
    outl(0x80000800u | reg, 0xcf8);
    if ( !write )
        return inl(0xcfc);
    outl(value, 0xcfc);

    return 0;
}

/* Pages whose frame numbers are known and stay. */
static int get_memory(void)
{
    int fd = open("/proc/self/pagemap", O_RDONLY);
    unsigned int i;
    uint64_t e;

    mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
    if ( mem == MAP_FAILED || fd < 0 )
        return -1;
    for ( i = 0; i < PAGES; i++ )
    {
        memset(mem + i * PAGE, (int)(0xa0 + i), PAGE);
        if ( pread(fd, &e, 8, (off_t)((uintptr_t)mem / PAGE + i) * 8) != 8 )
            return -1;
        frame[i] = e & ((1ull << 55) - 1);
    }
    close(fd);

    return frame[0] ? 0 : -1;
}

static int get_device(void)
{
    uint32_t base;
    int fd;

    put("/sys/bus/pci/devices/" DEVICE "/driver/unbind", DEVICE);
    if ( iopl(3) || config(0, 0, 0) != 0x10411af4 )
        return -1;
    config(4, 7, 1);
    base = config(0x14, 0, 0);
    fd = open("/dev/mem", O_RDWR | O_SYNC);
    bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, base);
    close(fd);

    return bar == MAP_FAILED ? -1 : 0;
}

static unsigned int guards_bad(void)
{
    unsigned int i, j, bad = 0;

    for ( i = 1; i < PAGES; i += 2 )
        for ( j = 0; j < PAGE; j++ )
            bad += mem[i * PAGE + j] != (uint8_t)(0xa0 + i);

    return bad;
}

/* ---- Steps ---------------------------------------------------------------
 */

/* Of a page for the device; sometimes of no memory at all. */
static uint64_t any_address(uint32_t len)
{
    if ( !rnd(64) )
        return (uint64_t)rnd(0) << 32;

    return frame[rnd(PAGES / 2) * 2] * PAGE + (rnd(PAGE - len + 1) & ~15u);
}

static void any_desc(void)
{
    uint32_t len = 1 + rnd(rnd(4) ? 1600 : 4096);
    struct
    {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } d = {any_address(len), len, (uint16_t)(rnd(3) ? rnd(2) * 2 : rnd(4)),
           (uint16_t)rnd(rnd(8) ? 256 : 0)};

    memcpy(mem + rnd(PAGES / 2) * 2 * PAGE + rnd(256) * 16, &d, sizeof(d));
}

static void any_index(void)
{
    uint16_t v = (uint16_t)rnd(rnd(2) ? 16 : 0);

    memcpy(mem + rnd(PAGES / 2) * 2 * PAGE + 2 + rnd(4) * 2, &v, 2);
}

static void set64(unsigned int off, uint64_t v)
{
    *(volatile uint32_t *)(bar + off) = (uint32_t)v;
    *(volatile uint32_t *)(bar + off + 4) = (uint32_t)(v >> 32);
}

/* From reset to DRIVER_OK, with one part of each queue in each page. */
static void set_up(void)
{
    unsigned int q;

    bar[20] = 0;
    bar[20] = 3;
    *(volatile uint32_t *)(bar + 8) = 0;
    *(volatile uint32_t *)(bar + 12) = rnd(2) ? 1u << 15 : 0;
    *(volatile uint32_t *)(bar + 8) = 1;
    *(volatile uint32_t *)(bar + 12) = 1;
    bar[20] = 11;
    for ( q = 0; q < 3; q++ )
    {
        *(volatile uint16_t *)(bar + 22) = (uint16_t)q;
        *(volatile uint16_t *)(bar + 24) = (uint16_t)(1u << rnd(9));
        set64(32, frame[rnd(PAGES / 2) * 2] * PAGE);
        set64(40, frame[rnd(PAGES / 2) * 2] * PAGE);
        set64(48, frame[rnd(PAGES / 2) * 2] * PAGE);
        *(volatile uint16_t *)(bar + 28) = 1;
    }
    bar[20] = 15;
}

static void any_config(void)
{
    unsigned int reg = rnd(64) * 4;

    /* Moving the BARs is left to the unit tests: this maps them. */
    if ( reg != 0x10 && reg != 0x14 )
        config(reg, rnd(0), 1);
    config(rnd(64) * 4, 0, 0);
    config(4, 7, 1);
}

/* One instruction, up to 2,048 doorbells; whoever rings waits for itself only. */
static void string_of_doorbells(void)
{
    const void *from = mem + rnd(PAGES / 2) * 2 * PAGE;
    unsigned long all = 1 + rnd(PAGE / 2), left = all;

    __asm__ __volatile__("rep outsw"
                         : "+S"(from), "+c"(left)
                         : "d"((uint16_t)0xc000)
                         : "memory");
    rung += all - left;
}

static void step(void)
{
    uint32_t what = rnd(1024);

    if ( !rnd(8192) )
        string_of_doorbells();

    if ( what < 2 )
        set_up();
    else if ( what < 4 )
        *(volatile uint16_t *)(bar + (rnd(0x900) & ~1u)) = (uint16_t)rnd(0);
    else if ( what < 24 )
        any_config();
    else if ( what < 200 )
        outw((uint16_t)rnd(rnd(16) ? 3 : 0), 0xc000);
    else if ( what < 210 )
        inb((uint16_t)(0xc000 + rnd(32)));
    else if ( what < 600 )
        any_index();
    else
        any_desc();
}

int main(void)
{
    unsigned long steps, i;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    steps = strtoul(getenv("walk") ? getenv("walk") : "0", NULL, 0);
    state = 0x9e3779b97f4a7c15ull *
            strtoul(getenv("seed") ? getenv("seed") : "1", NULL, 0);
    if ( get_memory() || get_device() )
        printf("net walk failed\nnet done\n");
    else if ( getenv("deaf") )
    {
        memset(mem, 0, PAGES * PAGE);
        set_up();
        printf("net deaf, status %u\nnet walking\n", bar[20]);
    }
    else
    {
        printf("net walking\n");
        set_up();
        for ( i = 0; i < steps; i++ )
            step();
        printf("net walk %lu of %lu, guards %u bad, last status %u\n", i,
               steps, guards_bad(), bar[20]);
        printf("net strings %lu\n", rung);
        printf("net guards %u\nnet done\n", guards_bad());
    }
    for ( ;; )
        pause();
}
