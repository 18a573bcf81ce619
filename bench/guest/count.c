/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU: how many instructions each processor has executed, and
 * how many of them in Xen, at each mark (lab/mark.h).
 *
 *   qemu-system-x86_64 -plugin count.so,out=FILE ...
 *
 * A line for each mark and processor: "NUMBER CPU ALL XEN".  Counted by blocks as they are
 * entered: one that is left early by an exception counts as a whole.
 *
 * Declared here is what it uses of QEMU's plugin interface, version 3: the
 * packages with QEMU do not have its header.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
typedef struct qemu_info_t qemu_info_t;
typedef struct {
    struct qemu_plugin_scoreboard *score;
    size_t offset;
} qemu_plugin_u64;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

#define EXPORT __attribute__((visibility("default")))

void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
                             size_t size);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
    struct qemu_plugin_tb *tb, enum qemu_plugin_op op, qemu_plugin_u64 entry,
    uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(
    struct qemu_plugin_insn *insn, void (*cb)(unsigned int cpu, void *data),
    enum qemu_plugin_cb_flags flags, void *data);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_get(qemu_plugin_u64 entry, unsigned int cpu);
int qemu_plugin_num_vcpus(void);

extern EXPORT int qemu_plugin_version;
EXPORT int qemu_plugin_version = 3;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                               int argc, char *argv[]);

#define MARK_SIZE   7
#define XEN_START   0xffff82d040000000      /* its text; asm/config.h */
#define XEN_END     0xffff82d080000000

struct counts {
    uint64_t all, xen;
};

static qemu_plugin_u64 all, xen;
static FILE *out;

static void at_mark(unsigned int cpu, void *number)
{
    unsigned int nr = qemu_plugin_num_vcpus();

    for ( cpu = 0; cpu < nr; cpu++ )
        fprintf(out, "%u %u %llu %llu\n", (unsigned int)(uintptr_t)number,
                cpu, (unsigned long long)qemu_plugin_u64_get(all, cpu),
                (unsigned long long)qemu_plugin_u64_get(xen, cpu));
    fflush(out);
}

/* The mark's number, or -1. */
static int mark_number(const struct qemu_plugin_insn *insn)
{
    unsigned char code[MARK_SIZE];
    uint32_t displacement;

    if ( qemu_plugin_insn_size(insn) != MARK_SIZE ||
         qemu_plugin_insn_data(insn, code, MARK_SIZE) != MARK_SIZE ||
         memcmp(code, MARK_OPCODE, sizeof(MARK_OPCODE) - 1) )
        return -1;
    memcpy(&displacement, code + sizeof(MARK_OPCODE) - 1, 4);

    return (displacement & ~0xffu) == MARK_SIGNATURE ? (int)(displacement & 0xff)
                                                     : -1;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t nr = qemu_plugin_tb_n_insns(tb), i;
    uint64_t at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
    int number;

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
        tb, QEMU_PLUGIN_INLINE_ADD_U64, all, nr);
    if ( at >= XEN_START && at < XEN_END )
    {
        qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
            tb, QEMU_PLUGIN_INLINE_ADD_U64, xen, nr);
        return;
    }
    for ( i = 0; i < nr; i++ )
    {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        number = mark_number(insn);
        if ( number >= 0 )
            qemu_plugin_register_vcpu_insn_exec_cb(
                insn, at_mark, QEMU_PLUGIN_CB_NO_REGS,
                (void *)(uintptr_t)number);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char *argv[])
{
    struct qemu_plugin_scoreboard *score;

    (void)info;
    if ( argc != 1 || strncmp(argv[0], "out=", 4) ||
         !(out = fopen(argv[0] + 4, "w")) )
    {
        fprintf(stderr, "count: out=FILE is missing, or cannot be written\n");
        return 1;
    }
    score = qemu_plugin_scoreboard_new(sizeof(struct counts));
    all = (qemu_plugin_u64){ score, offsetof(struct counts, all) };
    xen = (qemu_plugin_u64){ score, offsetof(struct counts, xen) };
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);

    return 0;
}
