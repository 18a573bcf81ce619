/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cloister open-dump: the owner's end of a dump (abi/dump.h).  Everything in
 * the file may be the work of an enemy, but for what the key authenticates.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <xen/xen.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#include <abi/dump.h>
#include <abi/record.h>

#include "cloister.h"
#include "output.h"

#define PAGE 4096u
#define KEY 32u
#define CLEAR (sizeof(struct cloister_record) + sizeof(struct cloister_record_key))
#define TAG CLOISTER_RECORD_TAG

struct page
{
    uint64_t pfn;
    const uint8_t *data;                     /* ciphertext, in the file */
    const struct cloister_record_page *view; /* what it must be */
};

struct dump
{
    const uint8_t *file;
    size_t size, core; /* bytes of all, and before the record */
    uint8_t key[KEY];
    uint8_t *body; /* the record in the clear */
    struct cloister_record_state state;
    const uint8_t *hvm;
    struct cloister_record_page *views; /* by rising gfn */
    struct page *pages;                 /* by rising pfn */
    size_t count, unknown;              /* unknown: and no ring */
};

static bool bad(const char *what)
{
    complain("the core is not as Xen gave it out: %s", what);

    return false;
}

/* ---- The key, the record --------------------------------------------------- */

static bool unwrap(const char *path, const uint8_t *wrapped, uint8_t key[KEY])
{
    uint8_t out[CLOISTER_DUMP_RSA];
    size_t len = sizeof(out);
    FILE *f = file_open(path);
    EVP_PKEY *rsa = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    EVP_PKEY_CTX *c = rsa ? EVP_PKEY_CTX_new(rsa, NULL) : NULL;
    bool ok = c && EVP_PKEY_decrypt_init(c) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0 &&
              EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) > 0 &&
              EVP_PKEY_decrypt(c, out, &len, wrapped, CLOISTER_DUMP_RSA) > 0 &&
              len == KEY;

    if ( ok )
        memcpy(key, out, KEY);
    else if ( f && !rsa )
        complain("%s: no private key (PEM)", path);
    else if ( f )
        complain("%s: the core is not for this key", path);
    OPENSSL_cleanse(out, sizeof(out));
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(rsa);
    if ( f )
        fclose(f);

    return ok;
}

struct sealed
{
    uint8_t nonce[12];
    const void *aad;
    int aad_len;
    const uint8_t *in, *tag;
    int len;
};

static bool open_sealed(const uint8_t key[KEY], const struct sealed *s,
                        uint8_t *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;
    bool ok = c &&
              EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, s->nonce) &&
              EVP_DecryptUpdate(c, NULL, &n, s->aad, s->aad_len) &&
              EVP_DecryptUpdate(c, out, &n, s->in, s->len) &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG,
                                  (void *)(uintptr_t)s->tag) &&
              EVP_DecryptFinal_ex(c, out + n, &n) > 0;

    EVP_CIPHER_CTX_free(c);

    return ok;
}

static int by_gfn(const void *a, const void *b)
{
    uint32_t x = ((const struct cloister_record_page *)a)->gfn;
    uint32_t y = ((const struct cloister_record_page *)b)->gfn;

    return x < y ? -1 : x > y;
}

static bool open_record(struct dump *d, const uint8_t *at, uint32_t size)
{
    const uint32_t kind = CLOISTER_RECORD_NONCE;
    struct cloister_record head;
    struct sealed s = {.aad = at, .aad_len = CLEAR, .in = at + CLEAR};
    size_t body = size - CLEAR - TAG, fixed = sizeof(d->state);

    if ( size < CLEAR + fixed + TAG )
        return bad("the record is too short");
    memcpy(&head, at, sizeof(head));
    if ( memcmp(head.signature, CLOISTER_RECORD_SIGNATURE, 8) ||
         head.revision != CLOISTER_RECORD_REVISION )
        return bad("a record of another version");
    s.len = (int)body;
    s.tag = at + size - TAG;
    memcpy(s.nonce, &kind, 4);
    memcpy(s.nonce + 4, &head.nonce, 8);
    d->body = malloc(body);
    if ( !d->body || body > INT32_MAX || !open_sealed(d->key, &s, d->body) )
        return bad("the record was changed");

    memcpy(&d->state, d->body, fixed);
    if ( fixed + d->state.hvm + (uint64_t)d->state.log +
             d->state.pages * (uint64_t)sizeof(*d->views) != body )
        return bad("lengths in the record");
    d->hvm = d->body + fixed;
    d->views = malloc(d->state.pages * sizeof(*d->views) + 1);
    if ( !d->views )
        return bad("too large");
    memcpy(d->views, d->hvm + d->state.hvm + d->state.log,
           d->state.pages * sizeof(*d->views));
    qsort(d->views, d->state.pages, sizeof(*d->views), by_gfn);

    return true;
}

/* ---- The core, as libxc writes it ------------------------------------------- */

/* Section `name`, whole and inside the file. */
static bool section(const struct dump *d, const char *name, const uint8_t **at,
                    uint64_t *size)
{
    Elf64_Ehdr e;
    Elf64_Shdr s, names;
    size_t i, len = strlen(name) + 1;

    if ( d->core < sizeof(e) )
        return false;
    memcpy(&e, d->file, sizeof(e));
    if ( memcmp(e.e_ident, ELFMAG, SELFMAG) ||
         e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_shentsize != sizeof(s) ||
         e.e_shstrndx >= e.e_shnum || e.e_shoff > d->core ||
         e.e_shnum > (d->core - e.e_shoff) / sizeof(s) )
        return false;
    memcpy(&names, d->file + e.e_shoff + e.e_shstrndx * sizeof(s), sizeof(s));
    if ( names.sh_offset > d->core ||
         names.sh_size > d->core - names.sh_offset )
        return false;

    for ( i = 0; i < e.e_shnum; i++ )
    {
        memcpy(&s, d->file + e.e_shoff + i * sizeof(s), sizeof(s));
        if ( names.sh_size < len || s.sh_name > names.sh_size - len ||
             memcmp(d->file + names.sh_offset + s.sh_name, name, len) )
            continue;
        if ( s.sh_offset > d->core || s.sh_size > d->core - s.sh_offset )
            return false;
        *at = d->file + s.sh_offset;
        *size = s.sh_size;
        return true;
    }

    return false;
}

static int by_pfn(const void *a, const void *b)
{
    uint64_t x = ((const struct page *)a)->pfn;
    uint64_t y = ((const struct page *)b)->pfn;

    return x < y ? -1 : x > y;
}

/* The pages that no record has, since others write to them (CLOISTER_RINGS). */
static bool is_ring(const struct dump *d, uint64_t pfn)
{
    static const unsigned int rings[] = {
        HVM_PARAM_STORE_PFN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_IOREQ_PFN,
        HVM_PARAM_BUFIOREQ_PFN};

    for ( size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++ )
    {
        if ( pfn && pfn == d->state.params[rings[i]] )
            return true;
    }

    return false;
}

static bool find_pages(struct dump *d)
{
    const uint8_t *pages, *pfns;
    uint64_t size, list, i;

    if ( !section(d, ".xen_pages", &pages, &size) ||
         !section(d, ".xen_pfn", &pfns, &list) ||
         size / PAGE != list / sizeof(uint64_t) )
        return bad("no core of an HVM guest, or not all of it");
    d->pages = malloc((list / 8) * sizeof(*d->pages) + 1);
    if ( !d->pages )
        return bad("too large");

    for ( i = 0; i < list / 8; i++ )
    {
        struct page p = {.data = pages + i * PAGE};
        struct cloister_record_page want;

        memcpy(&p.pfn, pfns + i * 8, 8);
        want.gfn = (uint32_t)p.pfn;
        p.view = p.pfn >> 32 ? NULL
                             : bsearch(&want, d->views, d->state.pages,
                                       sizeof(want), by_gfn);
        if ( p.view )
            d->pages[d->count++] = p;
        else if ( ~p.pfn && !is_ring(d, p.pfn) )
            d->unknown++;
    }
    qsort(d->pages, d->count, sizeof(*d->pages), by_pfn);
    for ( i = 1; i < d->count; i++ )
        if ( d->pages[i].pfn == d->pages[i - 1].pfn )
            return bad("a page twice");

    return true;
}

static bool open_page(const struct dump *d, const struct page *p,
                      uint8_t out[PAGE])
{
    uint64_t version = d->state.base + p->view->version;
    const uint64_t aad[3] = {d->state.epoch, p->pfn, version};
    struct sealed s = {
        .aad = aad,
        .aad_len = sizeof(aad),
        .in = p->data,
        .len = PAGE,
        .tag = p->view->tag,
    };
    char text[64];

    memcpy(s.nonce + 4, &version, 8);
    if ( open_sealed(d->key, &s, out) )
        return true;
    snprintf(text, sizeof(text), "page %#llx", (unsigned long long)p->pfn);

    return bad(text);
}

/* ---- What gdb opens --------------------------------------------------------- */

/* Registers of one processor, as a thread's.  Notes are aligned to 4 bytes. */
struct __attribute__((packed)) note
{
    Elf64_Nhdr head;
    char name[8];
    struct elf_prstatus status;
};

static struct note make_note(const struct hvm_hw_cpu *c, unsigned int cpu)
{
    struct note n = {
        .head = {5, sizeof(n.status), NT_PRSTATUS},
        .name = "CORE",
    };
    struct elf_prstatus status = {.pr_pid = (int)cpu + 1};
    const unsigned long long regs[] = {
        c->r15, c->r14, c->r13, c->r12, c->rbp, c->rbx, c->r11, c->r10,
        c->r9, c->r8, c->rax, c->rcx, c->rdx, c->rsi, c->rdi, c->rax,
        c->rip, c->cs_sel, c->rflags, c->rsp, c->ss_sel, c->fs_base,
        c->gs_base, c->ds_sel, c->es_sel, c->fs_sel, c->gs_sel,
    };

    _Static_assert(sizeof(regs) == sizeof(status.pr_reg), "x86-64 only");
    memcpy(status.pr_reg, regs, sizeof(regs));
    memcpy(&n.status, &status, sizeof(status));

    return n;
}

/* One for each processor: how many; written to f if it is not NULL. */
static unsigned int notes(const struct dump *d, FILE *f)
{
    struct hvm_save_descriptor desc;
    struct hvm_hw_cpu cpu;
    size_t at = 0;
    unsigned int count = 0;

    while ( d->state.hvm - at >= sizeof(desc) )
    {
        memcpy(&desc, d->hvm + at, sizeof(desc));
        at += sizeof(desc);
        if ( desc.length > d->state.hvm - at )
            break;
        if ( desc.typecode == HVM_SAVE_CODE(CPU) &&
             desc.length == sizeof(cpu) )
        {
            struct note n;

            memcpy(&cpu, d->hvm + at, sizeof(cpu));
            n = make_note(&cpu, count++);
            if ( f )
                fwrite(&n, sizeof(n), 1, f);
        }
        at += desc.length;
    }

    return count;
}

/* Pages that follow on one another from i on. */
static size_t run(const struct dump *d, size_t i)
{
    size_t n = 1;

    while ( i + n < d->count && d->pages[i + n].pfn == d->pages[i].pfn + n )
        n++;

    return n;
}

static size_t runs(const struct dump *d)
{
    size_t i, n = 0;

    for ( i = 0; i < d->count; i += run(d, i) )
        n++;

    return n;
}

static void put_headers(const struct dump *d, FILE *f)
{
    size_t i, loads = runs(d);
    Elf64_Phdr p = {.p_type = PT_NOTE, .p_flags = PF_R};
    Elf64_Ehdr e = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                    ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(e),
        .e_ehsize = sizeof(e),
        .e_phentsize = sizeof(p),
    };

    e.e_phnum = (uint16_t)(loads + 1);
    fwrite(&e, sizeof(e), 1, f);
    p.p_offset = sizeof(e) + (loads + 1) * sizeof(p);
    p.p_filesz = notes(d, NULL) * sizeof(struct note);
    fwrite(&p, sizeof(p), 1, f);
    p.p_offset = (p.p_offset + p.p_filesz + PAGE - 1) / PAGE * PAGE;
    for ( i = 0; i < d->count; i += run(d, i) )
    {
        p.p_type = PT_LOAD;
        p.p_flags = PF_R | PF_W | PF_X;
        p.p_vaddr = p.p_paddr = d->pages[i].pfn * PAGE;
        p.p_filesz = p.p_memsz = run(d, i) * PAGE;
        p.p_align = PAGE;
        fwrite(&p, sizeof(p), 1, f);
        p.p_offset += p.p_filesz;
    }
    notes(d, f);
    while ( ftell(f) % PAGE )
        putc(0, f);
}

static bool write_core(const struct dump *d, FILE *f)
{
    uint8_t page[PAGE];
    bool ok = true;
    size_t i;

    if ( runs(d) >= PN_XNUM - 1 )
        return bad("too many holes");
    put_headers(d, f);
    for ( i = 0; ok && i < d->count; i++ )
        ok = open_page(d, &d->pages[i], page) &&
             fwrite(page, PAGE, 1, f) == 1;
    OPENSSL_cleanse(page, sizeof(page));

    return ok;
}

/* What there is of it is good, but it is not all of the guest. */
static enum cli_exit tell(const struct dump *d, const char *path)
{
    size_t absent = d->state.pages - d->count;

    printf("%s: %zu pages, %u processors\n", path, d->count, notes(d, NULL));
    if ( !d->unknown && !absent )
        return CLI_OK;
    complain("%s: not all of the guest: %zu pages that the record does not "
             "vouch for were left out, %zu that it does are not in the core "
             "(pause the guest, and dump it again)",
             path, d->unknown, absent);

    return CLI_NOT_AS_ASKED;
}

/* Nothing is left of a core that is not as it was. */
static enum cli_exit save(const struct dump *d, const char *path)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok;

    if ( !f )
    {
        complain("%s: %s", path, strerror(errno));
        return CLI_FAILURE;
    }
    ok = write_core(d, f);
    if ( fclose(f) )
        ok = false;
    if ( !ok )
        unlink(path);

    return ok ? tell(d, path) : CLI_BAD_EVIDENCE;
}

static bool map(struct dump *d, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p = MAP_FAILED;

    if ( fd >= 0 && !fstat(fd, &st) && st.st_size > 0 )
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if ( fd >= 0 )
        close(fd);
    if ( p == MAP_FAILED )
    {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    d->file = p;
    d->size = (size_t)st.st_size;

    return true;
}

static enum cli_exit open_dump(struct dump *d, const char *key,
                               const char *out)
{
    struct cloister_dump_tail tail;
    size_t end = d->size - sizeof(tail);

    if ( d->size >= sizeof(tail) )
        memcpy(&tail, d->file + end, sizeof(tail));
    if ( d->size < sizeof(tail) ||
         memcmp(tail.signature, CLOISTER_DUMP_SIGNATURE, 8) ||
         tail.revision != CLOISTER_DUMP_REVISION || tail.record > end )
    {
        bad("no record behind it (cloister dump)");
        return CLI_BAD_EVIDENCE;
    }
    d->core = end - tail.record;
    if ( !unwrap(key, tail.wrapped, d->key) ||
         !open_record(d, d->file + d->core, tail.record) || !find_pages(d) )
        return CLI_BAD_EVIDENCE;

    return save(d, out);
}

enum cli_exit open_dump_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key-file", required_argument, NULL, 'k'},
        {"output", required_argument, NULL, 'o'},
        {0},
    };
    const char *key = NULL, *out = NULL;
    struct dump d = {0};
    enum cli_exit status = CLI_FAILURE;
    char name[4096];
    int opt;

    optind = 0;
    while ( (opt = getopt_long(argc, argv, "k:o:", options, NULL)) != -1 )
    {
        if ( opt == 'k' )
            key = optarg;
        else if ( opt == 'o' )
            out = optarg;
        else
            return CLI_USAGE;
    }
    if ( !key || optind + 1 != argc )
    {
        complain("open-dump needs --key-file KEY and a core");
        return CLI_USAGE;
    }
    snprintf(name, sizeof(name), "%s.elf", argv[optind]);
    if ( map(&d, argv[optind]) )
        status = open_dump(&d, key, out ? out : name);
    OPENSSL_cleanse(d.key, sizeof(d.key));
    free(d.body);
    free(d.views);
    free(d.pages);

    return status;
}
