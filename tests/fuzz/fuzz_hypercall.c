/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls by dom0, sealed guests and others, on the port's real files: a
 * sequence of them, between which domains are built, sealed, saved, restored,
 * killed, and the TPM answers, or does not.  The rest of Xen is faked (xen/).
 *
 * After each step (hypercall/check.c and results.c):
 *
 *   who       nobody but who may ask gets anything but -EPERM; what there is not,
 *             and another revision, is -EOPNOTSUPP, before anything is done
 *   memory    of the caller's, only the argument and the buffer that it names
 *             are touched, each byte is read once, and on an error nothing is
 *             written (but how long a dump would have been)
 *   secrets   no instance key, registers, host, owners' or other guests' secret
 *             is in what anybody is given, nor a byte that Xen has not set
 *   state     a hypercall changes of a domain only what that command is for, and
 *             protection only before it has first run
 *   one life  an image is restored, released or resumed from once
 *   locks     nothing is held: no lock, no domain, no pause; no lock is taken
 *             twice, and none but the domctl lock is held where the caller's
 *             memory may fault
 *   bounds    what is allocated and copied is bounded
 *
 * Flags: -std=gnu11 -D__XEN_TOOLS__ -ftrivial-auto-var-init=pattern
 * Flags: -include fake.h -I/tests/fuzz/xen/include -I/xen/overlay/xen/include
 * Flags: -I/xen/overlay/xen/arch/x86/cloister
 * Flags: -iquote/tests/fuzz/xen/include/xen
 * Flags: -fno-sanitize=alignment
 * Sources: /tests/fuzz/xen/first.c
 * Sources: /tests/fuzz/hypercall/world.c /tests/fuzz/hypercall/check.c
 * Sources: /tests/fuzz/hypercall/results.c /tests/fuzz/hypercall/policy.c
 * Sources: /tests/fuzz/xen/fake.c /tests/fuzz/xen/hvm.c /tests/fuzz/xen/tpm.c
 * Sources: /tests/fuzz/xen/keys.c /tests/fuzz/xen/wrap.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/hypercall.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/counter.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/domain.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/dump.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/events.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/hostkey.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/images.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/ledger.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/migrate.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/policy.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/policy_table.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/record*.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/refusal.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/report.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/restore.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/restore_key.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/restore_record.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/secret.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/sequence.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/siom_op.c
 * Sources: /xen/overlay/xen/arch/x86/cloister/siom_save.c
 * Sources: smm/*.c record/*.c measure/*.c siom/*.c crypto/aes*.c
 * Sources: tpm/command.c tpm/marshal.c tpm/pcr.c tpm/policy.c tpm/object.c
 * Sources: tpm/nv.c tpm/rsa.c /tools/sha256.c
 * Sources: /tests/fuzz/xen/last.c
 * Libs: -lcrypto
 * Runs: 8000
 */
#include <openssl/sha.h>

#include "hypercall/world.h"
#include "abi/images.h"
#include "abi/secret.h"

/* Before fake_first. */
#pragma clang section bss = ""

#define ARG FAKE_GUEST_AT
#define BUFFER (FAKE_GUEST_AT + 0x800)
#define END (FAKE_GUEST_AT + FAKE_GUEST_SIZE)

/* What Xen has given, to be brought back; of this input only. */
static struct
{
    struct cloister_hostkey hostkey;
    struct cloister_provision provision;
    struct cloister_migrate offer;
    uint8_t list[sizeof(struct cloister_images_list) + 64 * 24];
    uint32_t list_size;
} kept;

static union
{
    uint32_t revision;
    struct cloister_host host;
    struct cloister_domain_info domain;
    struct cloister_refusal refusal;
    struct cloister_protect protect;
    struct cloister_log log;
    struct cloister_hostkey hostkey;
    struct cloister_provision provision;
    struct cloister_report report;
    struct cloister_images images;
    struct cloister_dump dump;
    struct cloister_migrate migrate;
    struct cloister_net_set net_set;
    uint8_t bytes[1024];
} arg;

/* ---- Arguments ---------------------------------------------------------------- */

static uint16_t a_domid(struct input *in)
{
    static const uint16_t odd[] = {0xffff, 0x7ff0, 0x7fff, 5};
    uint8_t which = take8(in) & 15;

    if ( which == 15 )
        return (uint16_t)take32(in);

    return which < 11 ? which % FAKE_DOMAINS : odd[which - 11];
}

static uint64_t a_number(struct input *in)
{
    uint8_t n = take8(in);

    return n < 200 ? n : n < 240 ? n * 64u : (uint64_t)take32(in) << 32 | n;
}

static const struct cloister_domain *target(uint16_t domid)
{
    return domid < FAKE_DOMAINS && fake_domain[domid].exists
               ? fake_domain[domid].arch.cloister : NULL;
}

/* What the object of this blob holds: for the guest, or the host. */
static void seal_secret(uint16_t domid, uint8_t how)
{
    const struct cloister_domain *cd = target(domid);
    struct cloister_sealed s = {.revision = CLOISTER_SECRET_REVISION};

    memcpy(s.signature, domid == CLOISTER_DOMID_HOST
                            ? CLOISTER_SEALED_OWNER
                            : CLOISTER_SEALED_SIGNATURE, 4);
    if ( cd && !(how & 1) )
        memcpy(s.measurement, cd->measurement, sizeof(s.measurement));
    memcpy(fake_tpm.unsealed, &s, sizeof(s));
    world_unlike(fake_tpm.unsealed + sizeof(s), CLOISTER_SECRET_MAX, 0x3e);
    if ( domid == CLOISTER_DOMID_HOST )
        memcpy(fake_tpm.unsealed + sizeof(s), world.owner[how >> 1 & 1], 32);
    fake_tpm.unsealed_size = how & 0x80 ? sizeof(s) + (how & 0x7f) % 81
                                        : sizeof(s) + 32;
}

static void provision(struct cloister_provision *p, struct input *in)
{
    struct cloister_secret_blob h = {.revision = CLOISTER_SECRET_REVISION};
    uint8_t how = take8(in);
    unsigned int i;

    if ( how & 1 )
    {
        *p = kept.provision;
        return;
    }
    p->domid = a_domid(in);
    memcpy(h.signature, CLOISTER_SECRET_SIGNATURE, 8);
    h.mask = 0x2003ff;
    h.length = sizeof(h);
    for ( i = 0; i < CLOISTER_SECRET_PARTS; i++ )
        h.length += h.part[i] = (uint16_t)(40 + (how & 0x40 ? take8(in) : i));
    p->length = h.length;
    memset(p->blob, 0x2b, sizeof(p->blob));
    memcpy(p->blob, &h, sizeof(h));
    /* Whoever asks again, asks the same; and the TPM has the one object. */
    if ( how & 2 )
        seal_secret(p->domid, how >> 2);
    kept.provision = *p;
    kept.provision.revision = 1;
}

static void images(struct cloister_images *i, struct input *in)
{
    uint8_t how = take8(in);

    i->action = how & 3;
    i->length = how & 4 ? (uint32_t)a_number(in) : 0x7000;
    i->buffer = how & 8 ? END - take8(in) : BUFFER;
    if ( i->action != CLOISTER_IMAGES_load || !kept.list_size )
        return;
    memcpy(fake_guest + (BUFFER - FAKE_GUEST_AT), kept.list, kept.list_size);
    i->length = how & 4 ? i->length : kept.list_size;
    if ( how & 16 )
        fake_guest[BUFFER - FAKE_GUEST_AT + take8(in)] ^= take8(in);
}

static void dump(struct cloister_dump *d, struct input *in)
{
    uint8_t how = take8(in);

    d->domid = a_domid(in);
    d->buffer = how & 1 ? END - 8u * take8(in) : BUFFER;
    d->length = how & 2 ? (uint32_t)a_number(in) * 16 : 0x7000;
    memcpy(d->modulus, world.modulus, sizeof(d->modulus));
}

/* As another host of the owner's: it has the record, and proves it. */
static void prove(struct cloister_migrate *m, const struct cloister_domain *cd)
{
    struct cloister_offer offer = cd->release.offer;
    uint8_t digest[32];

    memcpy(offer.challenge, m->challenge, sizeof(offer.challenge));
    SHA256((const uint8_t *)&offer, sizeof(offer), digest);
    cloister_derive(world.owner[world.uuid[m->domid] % OWNERS],
                    CLOISTER_MIGRATION_OFFER, digest, m->proof);
}

/* As the host from which a record has come: its key, for this challenge. */
static void release(struct cloister_migrate *m, const struct cloister_domain *cd)
{
    const struct image *im =
        world_image(cd->restore->instance, cd->restore->nonce);
    struct cloister_release what = {.nonce = cd->restore->nonce};
    uint8_t material[32], raw[CL_KEY_SIZE], nonce[CL_GCM_NONCE_LEN] = {0};
    struct cl_gcm_key key;

    if ( !im || !im->foreign )
        return;
    memcpy(what.uuid, fake_domain[m->domid].handle, 16);
    memcpy(what.instance, im->instance, 16);
    memcpy(what.challenge, cd->restore->offer.challenge, 32);
    memset(m->key.salt, 0x5c, sizeof(m->key.salt));
    cloister_derive(world.owner[im->uuid % OWNERS], CLOISTER_MIGRATION_LABEL,
                    m->key.salt, material);
    cl_key_raw(&im->key, raw);
    cl_gcm_init(&key, material);
    cl_gcm_seal(&key, nonce, &what, sizeof(what), raw, m->key.key,
                CL_KEY_SIZE, m->key.tag);
}

static void migrate(struct cloister_migrate *m, struct input *in)
{
    uint8_t how = take8(in);
    const struct cloister_domain *cd;

    m->domid = a_domid(in);
    m->action = how % 5;
    cd = target(m->domid);
    memset(m->challenge, how & 0x20 ? 0x21 : 0x22, sizeof(m->challenge));
    m->cards = !(how & 0x40);
    cloister_cpu_digest(&fake_domain[0], m->cpu);
    if ( !cd )
        return;
    memcpy(m->owner, world.name[world.uuid[m->domid] % OWNERS], 32);
    if ( m->action == CLOISTER_MIGRATE_release )
        prove(m, cd);
    if ( m->action == CLOISTER_MIGRATE_receive && cd->restore )
        release(m, cd);
}

static void hostkey(struct cloister_hostkey *k, struct input *in)
{
    uint8_t how = take8(in);

    if ( how & 4 )
        *k = kept.hostkey;
    k->revision = 1;
    k->action = how & 3;
    if ( how & 8 )
        k->length = (uint32_t)a_number(in);
}

/* So that it gets further than to the first check. */
static void fill(unsigned int cmd, struct input *in)
{
    uint8_t flips;

    memset(&arg, 0, sizeof(arg));
    switch ( cmd )
    {
    case CLOISTER_OP_refusal:
    case CLOISTER_OP_ledger: arg.refusal.number = take8(in); break;
    case CLOISTER_OP_protect: arg.protect.off = take8(in) % 3; /* and */
    case CLOISTER_OP_counts:
    case CLOISTER_OP_net_port:
    case CLOISTER_OP_domain: arg.domain.domid = a_domid(in); break;
    case CLOISTER_OP_log:
        arg.log.domid = a_domid(in);
        arg.log.offset = a_number(in);
        break;
    case CLOISTER_OP_hostkey: hostkey(&arg.hostkey, in); break;
    case CLOISTER_OP_provision: provision(&arg.provision, in); break;
    case CLOISTER_OP_report:
        memset(arg.report.body.data, take8(in), 64);
        break;
    case CLOISTER_OP_images: images(&arg.images, in); break;
    case CLOISTER_OP_dump: dump(&arg.dump, in); break;
    case CLOISTER_OP_migrate: migrate(&arg.migrate, in); break;
    case CLOISTER_OP_net_set:
        take(in, &arg.net_set, sizeof(arg.net_set));
        arg.net_set.domid = a_domid(in);
        break;
    }
    arg.revision = 1;
    for ( flips = take8(in); flips > 250; flips-- )
        arg.bytes[take32(in) % sizeof(arg)] ^= take8(in);
    if ( flips > 240 )
        arg.revision = flips & 1 ? take32(in) : 2;
}

/* ---- Steps ---------------------------------------------------------------------- */

static unsigned int a_command(uint8_t which)
{
    static const uint8_t likely[] = {
        CLOISTER_OP_images, CLOISTER_OP_dump, CLOISTER_OP_migrate,
        CLOISTER_OP_provision, CLOISTER_OP_secret, CLOISTER_OP_report,
        CLOISTER_OP_hostkey, CLOISTER_OP_log,
    };

    return which < 24 ? which : which == 255 ? ~0u
                              : likely[which % sizeof(likely)];
}

static unsigned long a_place(struct input *in, size_t size)
{
    uint8_t where = take8(in);

    if ( where < 200 )
        return ARG;
    if ( where < 240 )
        return END - size;      /* not one byte more can be read */

    return where & 1 ? END - size + 1 + (where & 14)
                     : (unsigned long)take32(in) << 12;
}

static void keep(unsigned int cmd, unsigned long at)
{
    const struct cloister_images *i = &arg.images;
    const void *given = fake_guest + (at - FAKE_GUEST_AT);

    memcpy(&arg, given, check_size(cmd));
    if ( cmd == CLOISTER_OP_hostkey && arg.hostkey.length )
        kept.hostkey = arg.hostkey;
    if ( cmd == CLOISTER_OP_images && i->action == CLOISTER_IMAGES_get &&
         i->length <= sizeof(kept.list) )
    {
        kept.list_size = i->length;
        memcpy(kept.list, fake_guest + (i->buffer - FAKE_GUEST_AT),
               i->length);
    }
}

/* What can go wrong around this one call. */
static void trouble(uint8_t bits)
{
    fake_host.no_random = (bits & 0xf1) == 0xf1;
    fake_host.no_memory = (bits & 0xf2) == 0xf2;
    fake_host.busy = (bits & 0xf4) == 0xf4;
    fake_host.read_only = (bits & 0xf8) == 0xf8;
    fake_host.could = bits == 0xe0 ? CLOISTER_WHY_no_slot
                                   : bits == 0xe1 ? -ERESTART : 0;
    fake_tpm.absent = bits == 0xe2;
}

/* A continuation comes back as it is, after the TPM has had its turns. */
static void hypercall(struct input *in)
{
    uint8_t who = take8(in), again = who >> 4;
    struct domain *d = &fake_domain[(who & 15) % FAKE_DOMAINS];
    unsigned int cmd = a_command(take8(in));
    unsigned long at = a_place(in, check_size(cmd));
    uint8_t bad = take8(in);
    long rc;

    /* Most are dom0's, or a guest's of what it may ask. */
    if ( !d->exists || (who & 15) >= 8 )
        d = &fake_domain[0];
    if ( who & 0x80 && (cmd == CLOISTER_OP_secret ||
                        cmd == CLOISTER_OP_report) )
        d = &fake_domain[1];
    if ( !d->exists )
        return;
    /* Nothing that Xen has given before. */
    memset(fake_guest, 0x11, sizeof(fake_guest));
    fill(cmd, in);
    if ( at >= FAKE_GUEST_AT && at <= END - check_size(cmd) )
        memcpy(fake_guest + (at - FAKE_GUEST_AT), &arg, check_size(cmd));
    do
    {
        trouble(bad);
        rc = check_hypercall(d->vcpu[0], cmd, at);
        trouble(0);
        if ( rc == 55 || rc == -EAGAIN )
            world_idle();
    } while ( (rc == 55 || rc == -EAGAIN) && again-- );
    if ( !rc )
        keep(cmd, at);
}

static void begin(struct input *in)
{
    uint8_t mode = take8(in);

    fake_reset();
    memset(&kept, 0, sizeof(kept));
    world_begin(mode);
    memset(fake_guest, 0x11, sizeof(fake_guest));
    if ( mode & 4 )
        world_idle();
    if ( mode & 8 )
        world_seal_whole(1);
    if ( mode & 16 )
        world_seal_whole(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned int steps;

    begin(&in);
    for ( steps = 0; in.left && steps < 60; steps++ )
    {
        uint8_t what = take8(&in);

        if ( what < 150 )
            hypercall(&in);
        else if ( what < 230 )
            world_step(&in);
        else
            policy_step(&in);
    }

    return 0;
}
