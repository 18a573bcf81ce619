/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister open-dump, on a core with a record that the engine has made: it
 * opens as it was, or not at all.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <xen/xen.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#include <abi/dump.h>
#include <cloister/record.h>

#include "cloister.h"
#include "test.h"

#define PAGES   5
#define FIRST   0x100

static struct cl_key slots[1];
static struct cl_key_table table = { .slot = slots, .slots = 1 };
static EVP_PKEY *owner;
static char folder[] = "/tmp/dump-XXXXXX";
static char core[64], out[64], key_file[64], other_file[64];

static uint8_t bytes[1 << 16];
static size_t size, record_at;

/* Sections, as libxc writes them: the names last. */
static const char names[] = "\0.xen_pages\0.xen_pfn\0.shstrtab";

struct core {
    Elf64_Ehdr head;
    Elf64_Shdr sections[4];
    uint8_t pad[4096 - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Shdr)];
    uint8_t pages[PAGES + 1][4096];
    uint64_t pfns[PAGES + 1];
    char names[sizeof(names)];
};

static void plain(unsigned int i, uint8_t page[4096])
{
    memset(page, 'a' + (int)i, 4096);
}

/* A gap between the third and the fourth; the last is a ring. */
static uint64_t pfn_of(unsigned int i)
{
    return i == PAGES ? 0xfefff : FIRST + i + (i > 2 ? 7 : 0);
}

static void make_elf(struct core *c)
{
    memcpy(c->head.e_ident, ELFMAG, SELFMAG);
    c->head.e_ident[EI_CLASS] = ELFCLASS64;
    c->head.e_shoff = sizeof(c->head);
    c->head.e_shentsize = sizeof(Elf64_Shdr);
    c->head.e_shnum = 4;
    c->head.e_shstrndx = 3;
    c->sections[1] = (Elf64_Shdr){
        .sh_name = 1, .sh_offset = offsetof(struct core, pages),
        .sh_size = sizeof(c->pages) };
    c->sections[2] = (Elf64_Shdr){
        .sh_name = 12, .sh_offset = offsetof(struct core, pfns),
        .sh_size = sizeof(c->pfns) };
    c->sections[3] = (Elf64_Shdr){
        .sh_name = 21, .sh_offset = offsetof(struct core, names),
        .sh_size = sizeof(names) };
    memcpy(c->names, names, sizeof(names));
}

struct hvm {
    struct hvm_save_descriptor desc;
    struct hvm_hw_cpu cpu;
};

static void wrap(const uint8_t key[32], uint8_t wrapped[CLOISTER_DUMP_RSA])
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(owner, NULL);
    size_t len = CLOISTER_DUMP_RSA;

    EVP_PKEY_encrypt_init(c);
    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING);
    EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256());
    EVP_PKEY_encrypt(c, wrapped, &len, key, 32);
    EVP_PKEY_CTX_free(c);
}

static void add_pages(struct core *c, struct cl_record *r)
{
    unsigned int i;

    for ( i = 0; i <= PAGES; i++ )
    {
        uint8_t page[4096];
        struct cl_view v = {
            .key = &slots[0], .version = ++slots[0].counter,
            .gfn = pfn_of(i), .epoch = slots[0].epoch,
        };

        plain(i, page);
        cl_view_run(&v, page, c->pages[i]);
        c->pfns[i] = pfn_of(i);
        if ( i < PAGES )
            cl_record_add(r, pfn_of(i), v.version, v.tag);
    }
}

static void make(void)
{
    uint8_t raw[32], again[32];
    struct core *c = (void *)bytes;
    struct cloister_record head = { .nonce = 1000 };
    struct cloister_record_state state = {
        .vcpus = 1, .params[HVM_PARAM_CONSOLE_PFN] = pfn_of(PAGES) };
    struct hvm hvm = { .desc = { .typecode = HVM_SAVE_CODE(CPU),
                                 .length = sizeof(hvm.cpu) },
                       .cpu = { .rip = 0x1234, .rax = 7 } };
    struct cloister_dump_tail tail = {
        .revision = CLOISTER_DUMP_REVISION,
        .signature = CLOISTER_DUMP_SIGNATURE,
    };
    struct cl_record r;

    memset(bytes, 0, sizeof(bytes));
    memset(raw, 0x5c, sizeof(raw));
    memcpy(again, raw, sizeof(raw));
    cl_key_erase(&table, 0);
    cl_key_install(&table, raw);
    make_elf(c);
    record_at = sizeof(*c);
    cl_record_begin(&r, bytes + record_at, sizeof(bytes) - record_at,
                    sizeof(hvm), 16, PAGES, 0);
    memcpy(r.hvm, &hvm, sizeof(hvm));
    add_pages(c, &r);
    state.epoch = slots[0].epoch;
    tail.record = (uint32_t)cl_record_seal(&r, &slots[0], &head, &state);
    wrap(again, tail.wrapped);
    memcpy(bytes + record_at + tail.record, &tail, sizeof(tail));
    size = record_at + tail.record + sizeof(tail);
}

static void put_key(const char *path, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");

    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

static void prepare(void)
{
    EVP_PKEY *other;

    if ( owner )
        return;
    if ( !mkdtemp(folder) )
        abort();
    snprintf(core, sizeof(core), "%s/core", folder);
    snprintf(out, sizeof(out), "%s/core.elf", folder);
    snprintf(key_file, sizeof(key_file), "%s/key", folder);
    snprintf(other_file, sizeof(other_file), "%s/other", folder);
    owner = EVP_RSA_gen(2048);
    put_key(key_file, owner);
    other = EVP_RSA_gen(2048);
    put_key(other_file, other);
    EVP_PKEY_free(other);
}

/* What is in bytes, as a file; the command's exit status. */
static int opened(const char *key)
{
    char *argv[] = { "open-dump", "-k", (char *)(uintptr_t)key, core, NULL };
    FILE *f = fopen(core, "w");
    int status;

    fwrite(bytes, size, 1, f);
    fclose(f);
    unlink(out);
    fflush(stdout);
    f = stdout;
    stdout = fopen("/dev/null", "w");
    status = open_dump_main(4, argv);
    fclose(stdout);
    stdout = f;

    return status;
}

TEST(opens_as_it_was)
{
    static uint8_t elf[1 << 16];
    uint8_t page[4096];
    Elf64_Ehdr e;
    Elf64_Phdr p[3];
    FILE *f;
    unsigned int i;

    prepare();
    make();
    CHECK(opened(key_file) == CLI_OK);
    f = fopen(out, "r");
    CHECK(f && fread(elf, 1, sizeof(elf), f) > PAGES * 4096ul);
    fclose(f);
    memcpy(&e, elf, sizeof(e));
    CHECK(e.e_type == ET_CORE && e.e_phnum == 3);
    memcpy(p, elf + e.e_phoff, sizeof(p));
    CHECK(p[0].p_type == PT_NOTE);
    CHECK(p[1].p_paddr == FIRST * 4096 && p[1].p_filesz == 3 * 4096);
    CHECK(p[2].p_paddr == (FIRST + 10) * 4096 && p[2].p_filesz == 2 * 4096);
    for ( i = 0; i < PAGES; i++ )
    {
        plain(i, page);
        CHECK(!memcmp(elf + p[1].p_offset + i * 4096, page, 4096));
    }
    /* rip, after descr's 112 bytes and 16 registers */
    CHECK(elf[p[0].p_offset + 12 + 8 + 112 + 16 * 8] == 0x34);
}

TEST(not_with_another_key)
{
    prepare();
    make();
    CHECK(opened(other_file) == CLI_BAD_EVIDENCE && access(out, F_OK));
    CHECK(opened(core) == CLI_BAD_EVIDENCE);
}

/* Any bit of what is vouched for; and of the rest no crash. */
TEST(not_if_a_bit_is_another)
{
    const size_t pages = offsetof(struct core, pages);
    size_t at;

    prepare();
    make();
    for ( at = 0; at < size; at += at < 1024 ? 7 : 499 )
    {
        bool vouched = (at >= pages && at < pages + PAGES * 4096) ||
                       (at >= record_at && at < size - 16);

        bytes[at] ^= 0x10;
        if ( vouched )
            CHECK(opened(key_file) == CLI_BAD_EVIDENCE && access(out, F_OK));
        else
            opened(key_file);
        bytes[at] ^= 0x10;
    }
    CHECK(opened(key_file) == CLI_OK);
}

TEST(not_if_it_is_cut)
{
    size_t whole;

    prepare();
    make();
    whole = size;
    for ( size = 1; size < whole; size += 111 )
        CHECK(opened(key_file) == CLI_BAD_EVIDENCE);
    size = whole;
}

TEST(pages_swapped_or_twice)
{
    struct core *c = (void *)bytes;

    prepare();
    make();
    c->pfns[0] = pfn_of(1);
    CHECK(opened(key_file) == CLI_BAD_EVIDENCE);
    c->pfns[1] = pfn_of(0);
    CHECK(opened(key_file) == CLI_BAD_EVIDENCE);
    c->pfns[0] = pfn_of(0);
    CHECK(opened(key_file) == CLI_BAD_EVIDENCE);
}

/* What there is can be read; that it is not all is said. */
TEST(not_all_of_the_guest)
{
    struct core *c = (void *)bytes;

    prepare();
    make();
    c->pfns[1] = ~0ull;
    CHECK(opened(key_file) == CLI_NOT_AS_ASKED && !access(out, F_OK));
    c->pfns[1] = pfn_of(1);
    c->pfns[PAGES]--;       /* nobody vouches for it, and it is no ring */
    CHECK(opened(key_file) == CLI_NOT_AS_ASKED && !access(out, F_OK));
    c->pfns[PAGES]++;
    CHECK(opened(key_file) == CLI_OK);
    unlink(core);
    unlink(out);
    unlink(key_file);
    unlink(other_file);
    rmdir(folder);
}
