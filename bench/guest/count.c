/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU: how many instructions each processor has executed, and
 * how many of them in Xen, at each mark (lab/mark.h).
 *
 *   qemu-system-x86_64 -plugin count.so,out=FILE[,map=MAP] ...
 *
 * A line for each mark and processor: "NUMBER CPU ALL XEN".  With MAP (nm -n
 * xen-syms) also where in Xen: FILE.symbols, "NUMBER CPU COUNT SYMBOL".
 * Counted by blocks as they are
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

#define SYMBOLS     16384
#define SYMBOL_SIZE 48

struct counts {
    uint64_t all, xen;
    uint64_t in[SYMBOLS];
};

static qemu_plugin_u64 all, xen;
static FILE *out, *out_symbols;

/* By address.  One that has none before it counts for the first. */
static struct symbol {
    uint64_t address;
    char name[SYMBOL_SIZE];
} symbols[SYMBOLS];
static unsigned int symbol_count;

static qemu_plugin_u64 counter(unsigned int symbol)
{
    return (qemu_plugin_u64){ all.score, offsetof(struct counts, in) +
                                             symbol * sizeof(uint64_t) };
}

static void read_map(const char *file)
{
    FILE *map = fopen(file, "r");
    char line[512], kind;

    while ( map && symbol_count < SYMBOLS && fgets(line, sizeof(line), map) )
    {
        struct symbol *s = &symbols[symbol_count];
        unsigned long long address;

        if ( sscanf(line, "%llx %c %47s", &address, &kind, s->name) != 3 ||
             address < XEN_START || address >= XEN_END ||
             (symbol_count && s[-1].address == address) )
            continue;
        s->address = address;
        symbol_count++;
    }
    if ( map )
        fclose(map);
}

static unsigned int find_symbol(uint64_t address)
{
    unsigned int first = 0, last = symbol_count;

    while ( last - first > 1 )
    {
        unsigned int middle = (first + last) / 2;

        if ( symbols[middle].address <= address )
            first = middle;
        else
            last = middle;
    }

    return first;
}

static void print_symbols(unsigned int number, unsigned int cpu)
{
    unsigned int i;
    uint64_t count;

    for ( i = 0; out_symbols && i < symbol_count; i++ )
        if ( (count = qemu_plugin_u64_get(counter(i), cpu)) )
            fprintf(out_symbols, "%u %u %llu %s\n", number, cpu,
                    (unsigned long long)count, symbols[i].name);
}

static void at_mark(unsigned int cpu, void *data)
{
    unsigned int nr = qemu_plugin_num_vcpus();
    unsigned int number = (uintptr_t)data;

    for ( cpu = 0; cpu < nr; cpu++ )
    {
        fprintf(out, "%u %u %llu %llu\n", number, cpu,
                (unsigned long long)qemu_plugin_u64_get(all, cpu),
                (unsigned long long)qemu_plugin_u64_get(xen, cpu));
        print_symbols(number, cpu);
    }
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
        if ( symbol_count )
            qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
                tb, QEMU_PLUGIN_INLINE_ADD_U64, counter(find_symbol(at)), nr);
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

static bool open_files(int argc, char *argv[])
{
    char name[4096];

    if ( argc < 1 || argc > 2 || strncmp(argv[0], "out=", 4) ||
         (argc == 2 && strncmp(argv[1], "map=", 4)) )
        return false;
    out = fopen(argv[0] + 4, "w");
    if ( argc == 2 )
    {
        read_map(argv[1] + 4);
        snprintf(name, sizeof(name), "%s.symbols", argv[0] + 4);
        out_symbols = fopen(name, "w");
    }

    return out && (argc == 1 || (out_symbols && symbol_count));
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
                        int argc, char *argv[])
{
    struct qemu_plugin_scoreboard *score;

    (void)info;
    if ( !open_files(argc, argv) )
    {
        fprintf(stderr, "count: out=FILE[,map=MAP]; a file does not open\n");
        return 1;
    }
    score = qemu_plugin_scoreboard_new(sizeof(struct counts));
    all = (qemu_plugin_u64){ score, offsetof(struct counts, all) };
    xen = (qemu_plugin_u64){ score, offsetof(struct counts, xen) };
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);

    return 0;
}
