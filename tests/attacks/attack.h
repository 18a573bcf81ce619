/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the attacks share.
 *
 * An attack is one file: a header comment that is its advisory (claim, method,
 * what stock Xen gives), a function, and an ATTACK() that registers it.  All
 * are linked into one program, `attack`, which runs each in a process of its
 * own (runner.c).
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xen/memory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/platform.h>

#include "victim/layout.h"

#define PAGE 4096ul
#define LINES_GFN (VICTIM_LINES / PAGE)
#define SPARE_GFN (VICTIM_SPARE / PAGE)
#define LINES_PER_PAGE (PAGE / 64)

/*
 * success:  what was to be had was had: the effect has been seen
 * failure:  it was tried, and the effect was not there
 * error:    something else went wrong, nothing is proved
 * unproven: this machine has not what it takes
 */
enum verdict
{
    SUCCESS,
    FAILURE,
    ERROR,
    UNPROVEN
};

enum needs
{
    NO_VICTIM, /* the whole host, with a victim running somewhere */
    SHARED,    /* a running victim that others have used, too */
    FRESH,     /* one of its own */
    BUILT,     /* one of its own that has not run yet */
};

struct victim
{
    uint32_t id;
    unsigned int log; /* where to go on reading Xen's log */
};

struct attack
{
    const char *name;
    enum needs needs;
    bool last;              /* may end the host: after all others */
    bool frames;            /* uses frames_of_lines() */
    bool pv_only, pvh_only; /* kind of dom0 */
    const char *extra;      /* the victim's command line */
    unsigned int seconds;   /* bound, if not the usual one */
    enum verdict (*run)(struct victim *v);
};

#define ATTACK(name_, ...)                                                    \
    static const struct attack attack_##name_ = {                             \
        .name = #name_, .run = name_, __VA_ARGS__};                           \
    static const struct attack *const registered_##name_                      \
        __attribute__((section("attacks"), used)) = &attack_##name_

/* ---- lib.c ---- */

extern xc_interface *xch;
extern xenforeignmemory_handle *fmem;
extern bool pvh_dom0;

void lib_init(void);

/* Sets the detail that is printed with the verdict, and returns V. */
enum verdict verdict(enum verdict v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
extern char detail[160];

/*
 * Hypercalls: the result, or -errno.  An argument structure is handed over in
 * a buffer of Xen's liking and copied back.
 */
long hypercall(unsigned int number, unsigned long a, unsigned long b,
               unsigned long c, unsigned long d);
long hypercall_1(unsigned int number, void *arg, size_t size);
long hypercall_2(unsigned int number, unsigned long op, void *arg,
                 size_t size);
long domctl(uint32_t domid, uint32_t cmd, struct xen_domctl *op);
long sysctl(uint32_t cmd, struct xen_sysctl *op);
long platform_op(uint32_t cmd, struct xen_platform_op *op);
long memory_op(unsigned int cmd, void *arg, size_t size);
long dm_op(uint32_t domid, struct xen_dm_op *op);
long cloister_op(unsigned int cmd, void *arg, size_t size);
long set_param(uint32_t domid, uint32_t index, uint64_t value);

/* Memory that a structure handed to Xen may point to. */
void *xen_buffer(size_t size);

/* Occurrences of the keeper's marker: at each byte. */
unsigned long markers_in(const void *memory, size_t size);
void marker_words(uint32_t word[VICTIM_WORDS]);
/* Whether the three words that the victim keeps in registers are there. */
bool secret_registers(uint64_t esi, uint64_t edi, uint64_t ebp);

/* One page of the victim (or of whoever); NULL if it cannot be had. */
void *map_page(uint32_t domid, unsigned long gfn, bool write);
void unmap_page(void *page);

/* ---- m2p.c: Xen's table of machine frames ---- */

/* For attacks that say so (.frames), done before they are mounted. */
void find_frames(void);
/* Frames of which the table says that they are the victim's first of lines. */
unsigned int frames_of_lines(unsigned long *mfn, unsigned int max);

/*
 * Tries to load and unload /files/NAME.ko: the value of its parameter RESULT,
 * -1 when it does not load.
 */
long module_result(const char *name, const char *arguments,
                   const char *result);

/* Runs a program: its exit status, -1 if it was killed. */
int run(const char *program, ...) __attribute__((sentinel));

/* Runs FN, which may touch what it must not: its result, or -1. */
int attempt(int (*fn)(void *arg), void *arg);

/*
 * Runs FN in a child, which may be killed: its result, or -1.  Mappings of
 * other domains are not there in a child.
 */
int in_child(int (*fn)(void *arg), void *arg);

/* ---- log.c: Xen's log ---- */

unsigned int log_end(void);
/* Reads on from *AT: what has come since, up to the next NUL. */
const char *log_read(unsigned int *at);
/* Waits until TEXT is in the log behind AT. */
bool log_wait(unsigned int at, const char *text, unsigned int seconds);
/* How often TEXT is in the log behind AT. */
unsigned int log_count(unsigned int at, const char *text);

/* ---- ledger.c: what Cloister has refused ---- */

/* The newest entry of its ledger, 0: none. */
uint64_t newest_refusal(void);
/*
 * Kinds of operations behind entry FROM that were refused for the domain's
 * sake or the host's.  The ledger has one entry for each kind; what gets no
 * further than its arguments is not in it.
 */
unsigned int operations_refused(uint32_t domid, uint64_t from);

/* ---- build.c ---- */

#define GUEST_MIB 8

/* Memory of guests that are built from now on. */
extern unsigned long guest_mib;

/* A paused guest that is the victim's program; -1 if it cannot be. */
int build_guest(const char *command_line, uint32_t *id);

/* ---- guest.c: the victim ---- */

/* 0, or -1 with a detail. */
int victim_create(struct victim *v, const char *extra);
int victim_start(struct victim *v, const char *extra);
void victim_destroy(struct victim *v);

/* Whether the victim says "victim TEXT" within some seconds. */
bool victim_says(struct victim *v, const char *text, unsigned int seconds);

/* Whether it has suspended itself (or ended) within some seconds. */
bool victim_suspended(struct victim *v, unsigned int seconds);

/*
 * Waits until the victim complains of WHAT (or has, since the attack began),
 * or has gone through three more rounds without: success or failure; error
 * when it is silent.
 */
enum verdict victim_complains(struct victim *v, const char *what);

/* Whether it goes through a round without any complaint within some time. */
bool victim_healthy(struct victim *v, unsigned int seconds);

void victim_pause(struct victim *v);
int victim_unpause(struct victim *v);
/* Unpauses it for the first time: whether it goes through a round. */
bool victim_runs(struct victim *v);
/* Unpauses it for the first time: success if it ends at once. */
enum verdict victim_starts_dead(struct victim *v);
void msleep(unsigned int ms);
double now_s(void);

/*
 * Saves a victim that suspends itself, as a whole: markers in the file, whose
 * size is *KIB; -1 with a detail if the save does not succeed.
 */
long markers_saved(struct victim *v, unsigned long *kib);

/* Traces for a moment: markers in the buffers; adds to *PAGES their size. */
unsigned long markers_traced(unsigned long *pages);

/* ---- canary.c, fuzz.c, noisy.c: 0, or -1 when there is no victim ---- */

int canary(void);
int fuzz(uint64_t seed, unsigned long calls);
int noisy(unsigned int seconds);

#endif /* TESTS_ATTACKS_ATTACK_H */
