/* SPDX-License-Identifier: GPL-2.0-only */
/* One hypercall, and what must hold whatever it was asked, and by whom. */
#include "world.h"

long do_cloister_op(unsigned int cmd, XEN_GUEST_HANDLE_PARAM(void) arg);
const uint8_t *fake_boot_secret(void);

size_t check_size(unsigned int cmd)
{
    switch ( cmd )
    {
    case CLOISTER_OP_host: return sizeof(struct cloister_host);
    case CLOISTER_OP_domain: return sizeof(struct cloister_domain_info);
    case CLOISTER_OP_refusal: return sizeof(struct cloister_refusal);
    case CLOISTER_OP_protect: return sizeof(struct cloister_protect);
    case CLOISTER_OP_ledger: return sizeof(struct cloister_ledger);
    case CLOISTER_OP_counts: return sizeof(struct cloister_counts);
    case CLOISTER_OP_log: return sizeof(struct cloister_log);
    case CLOISTER_OP_hostkey: return sizeof(struct cloister_hostkey);
    case CLOISTER_OP_provision: return sizeof(struct cloister_provision);
    case CLOISTER_OP_secret: return sizeof(struct cloister_secret);
    case CLOISTER_OP_report: return sizeof(struct cloister_report);
    case CLOISTER_OP_images: return sizeof(struct cloister_images);
    case CLOISTER_OP_dump: return sizeof(struct cloister_dump);
    case CLOISTER_OP_migrate: return sizeof(struct cloister_migrate);
    case CLOISTER_OP_net_host: return sizeof(struct cloister_net_host);
    case CLOISTER_OP_net_port: return sizeof(struct cloister_net_port);
    case CLOISTER_OP_net_set: return sizeof(struct cloister_net_set);
    }

    return 0;
}

/* The caller's memory. */
static uint8_t before[FAKE_GUEST_SIZE];

/* ---- Secrets ---------------------------------------------------------------------- */

/* Not memmem(), from which the fuzzer would learn what it looks for. */
__attribute__((no_sanitize("coverage"))) static bool
has(const uint8_t *at, size_t size, const uint8_t secret[8])
{
    size_t i, same;

    for ( i = 0; i + 8 <= size; i++ )
    {
        for ( same = 0; same < 8 && at[i + same] == secret[same]; same++ )
            ;
        if ( same == 8 )
            return true;
    }

    return false;
}

/* Who knows it already is told nothing. */
__attribute__((no_sanitize("coverage"))) static void
has_none_of(const void *at, size_t size, const void *secret)
{
    static const uint8_t none[8];

    if ( !has(secret, 8, none) && has(at, size, secret) )
        MUST(has(before, sizeof(before), secret));
}

static void has_no_key(const void *at, size_t size, const struct cl_key *key)
{
    uint8_t raw[CL_KEY_SIZE];

    if ( !key )
        return;
    cl_key_raw(key, raw);
    has_none_of(at, size, raw);
    has_none_of(at, size, raw + 8);
}

void check_secrets(const void *at, size_t size, bool own)
{
    unsigned int i;

    for ( i = 0; i < FAKE_DOMAINS; i++ )
        if ( fake_domain[i].exists && fake_domain[i].arch.cloister )
        {
            has_no_key(at, size, fake_domain[i].arch.cloister->vm.key);
            has_no_key(at, size, fake_domain[i].arch.cloister->vm.from);
        }
    for ( i = 0; i < IMAGES; i++ )
        if ( world.image[i].foreign )
            has_no_key(at, size, &world.image[i].key);
    for ( i = 0; i < OWNERS; i++ )
        has_none_of(at, size, world.owner[i]);
    has_none_of(at, size, fake_tpm.host);
    has_none_of(at, size, fake_boot_secret());
    has_none_of(at, size, FAKE_REGISTERS);
    if ( !own && fake_tpm.last_size >= 48 )
        has_none_of(at, size, fake_tpm.last + 40);
}

/* ---- Before and after ------------------------------------------------------------- */

/* What no hypercall changes, or one only. */
struct snap
{
    bool exists, created, had_secret, released;
    unsigned int state, wanted;
    uint64_t exported, epoch;
    const void *cd, *secret, *log, *restore, *key;
    struct cl_siom_config net;
};

static void look(struct snap s[FAKE_DOMAINS])
{
    unsigned int i;

    memset(s, 0, FAKE_DOMAINS * sizeof(*s));
    for ( i = 0; i < FAKE_DOMAINS; i++ )
    {
        const struct cloister_domain *cd = fake_domain[i].arch.cloister;

        s[i].exists = fake_domain[i].exists;
        s[i].created = fake_domain[i].creation_finished;
        s[i].cd = s[i].exists ? cd : NULL;
        if ( !s[i].cd )
            continue;
        s[i].state = cd->state;
        s[i].wanted = cd->wanted;
        s[i].exported = cd->exported;
        s[i].released = cd->release.done;
        s[i].secret = cd->secret;
        s[i].had_secret = cd->had_secret;
        s[i].log = cd->log;
        s[i].restore = cd->restore;
        s[i].key = cd->vm.key;
        s[i].epoch = cd->vm.key ? cd->vm.key->epoch : 0;
        if ( cd->siom )
            memcpy(&s[i].net, &cd->siom->config, sizeof(s[i].net));
    }
}

/* A release is the end of an image here, as a restore is. */
static void released(const struct cloister_domain *cd)
{
    struct image *im = world_image(cd->instance, cd->exported);

    if ( im )
        MUST(++im->lives == 1);
}

/* For the guest that fetches it. */
static void given(domid_t id)
{
    memcpy(world.given[id].sealed, fake_tpm.last, sizeof(fake_tpm.last));
    world.given[id].size = fake_tpm.last_size;
}

static void compare(const struct domain *d, struct snap a, struct snap b,
                    unsigned int cmd, long rc)
{
    /* Done; or done, and the answer could not be written. */
    const bool dom0 = !current->domain->domain_id,
               ok = !rc || (rc == -EFAULT && fake_host.read_only);

    if ( a.wanted != b.wanted )
        MUST(cmd == CLOISTER_OP_protect && ok && dom0 && !a.created &&
             !d->is_dying && a.state == CLOISTER_DOM_building);
    if ( b.secret && a.secret != b.secret )
    {
        MUST(cmd == CLOISTER_OP_provision && ok && dom0 && !a.had_secret);
        given(d->domain_id);
    }
    if ( !b.secret && a.secret )
        MUST(cmd == CLOISTER_OP_secret && current->domain == d &&
             b.had_secret);
    if ( a.had_secret != b.had_secret )
        MUST(cmd == CLOISTER_OP_secret && current->domain == d && a.secret);
    if ( a.restore != b.restore )
        MUST(cmd == CLOISTER_OP_migrate && rc == -EACCES && !b.restore);
    if ( a.released != b.released )
        MUST(cmd == CLOISTER_OP_migrate && dom0 && d->is_shut_down);
    if ( !a.released && b.released )
        released(b.cd);
    if ( memcmp(&a.net, &b.net, sizeof(a.net)) )
        MUST(cmd == CLOISTER_OP_net_set && ok && dom0 && !a.created &&
             !a.log && b.net.vlan <= 4094 && b.net.mtu >= 68 &&
             b.net.mtu <= CL_SIOM_MTU_MAX && !(b.net.mac[0] & 1));
    a.wanted = b.wanted;
    a.secret = b.secret;
    a.had_secret = b.had_secret;
    a.restore = b.restore;
    a.released = b.released;
    a.net = b.net;
    MUST(!memcmp(&a, &b, sizeof(a)));
}

void check_quiet(void)
{
    MUST(!fake_held && !fake_rcu && !fake_paused && !fake_domctl_lock);
}

/* ---- Memory of the caller's ------------------------------------------------------------ */

struct range
{
    unsigned long at;
    size_t size;
};

static bool within(const struct fake_copy *c, struct range r)
{
    return c->at >= r.at && c->size <= r.size &&
           c->at - r.at <= r.size - c->size;
}

/* What else than its argument a command may write to (or read). */
static struct range buffer_of(unsigned int cmd, const void *arg, bool to)
{
    const struct cloister_images *i = arg;
    const struct cloister_dump *d = arg;

    if ( cmd == CLOISTER_OP_dump && to )
        return (struct range){d->buffer, d->length};
    if ( cmd == CLOISTER_OP_images &&
         to == (i->action == CLOISTER_IMAGES_get) )
        return (struct range){i->buffer, i->length};

    return (struct range){0, 0};
}

/* Each byte is read once: what was checked is what is used. */
static void check_copies(struct range arg, unsigned int cmd, const void *in)
{
    unsigned int i, k;

    for ( i = 0; i < fake_copies; i++ )
    {
        const struct fake_copy *c = &fake_copy[i];

        MUST(within(c, arg) || within(c, buffer_of(cmd, in, c->to)));
        if ( c->to || within(c, buffer_of(cmd, in, false)) )
            continue;           /* which may be in the argument */
        for ( k = 0; k < i; k++ )
            MUST(fake_copy[k].to);
    }
}

/* What Xen has not set; but ciphertext may have four such bytes. */
static void check_poison(size_t from, size_t size, unsigned int run)
{
    size_t i, have = 0;

    for ( i = from; i < from + size; i++ )
    {
        have = fake_guest[i] == FAKE_POISON && before[i] != FAKE_POISON
                   ? have + 1 : 0;
        MUST(have < run);
    }
}

static bool is_cipher(unsigned int cmd)
{
    return cmd == CLOISTER_OP_log || cmd == CLOISTER_OP_hostkey ||
           (cmd >= CLOISTER_OP_provision && cmd <= CLOISTER_OP_migrate);
}

static void check_written(unsigned int cmd)
{
    unsigned int i;

    for ( i = 0; i < fake_copies; i++ )
        if ( fake_copy[i].to && !fake_host.read_only &&
             fake_copy[i].at >= FAKE_GUEST_AT &&
             fake_copy[i].at - FAKE_GUEST_AT < FAKE_GUEST_SIZE &&
             fake_copy[i].size <= FAKE_GUEST_SIZE -
                 (fake_copy[i].at - FAKE_GUEST_AT) )
        {
            size_t at = fake_copy[i].at - FAKE_GUEST_AT;

            check_poison(at, fake_copy[i].size, is_cipher(cmd) ? 8 : 4);
            check_secrets(fake_guest + at, fake_copy[i].size,
                          cmd == CLOISTER_OP_secret);
        }
}

/* ---- The hypercall -------------------------------------------------------------------- */

static bool may_ask(const struct domain *d, unsigned int cmd, const void *arg)
{
    const struct cloister_log *l = arg;

    if ( cmd == CLOISTER_OP_secret || cmd == CLOISTER_OP_report ||
         (cmd == CLOISTER_OP_log && l->domid == CLOISTER_LOG_SELF) )
        return d->arch.cloister &&
               d->arch.cloister->state >= CLOISTER_DOM_sealing;

    return !d->domain_id;
}

/* What it must answer before it does anything; 1: nothing of that kind. */
static long at_once(const struct domain *d, unsigned int cmd, const void *arg,
                    bool readable)
{
    uint32_t revision;

    if ( !check_size(cmd) )
        return -EOPNOTSUPP;
    if ( !readable )
        return -EFAULT;
    if ( !may_ask(d, cmd, arg) )
        return -EPERM;
    memcpy(&revision, arg, sizeof(revision));

    return revision != 1 ? -EOPNOTSUPP : 1;
}

static void check_answer(struct range arg, unsigned int cmd, long rc,
                         long must)
{
    bool later = fake_host.continued;

    MUST(must == 1 || (rc == must && !later));
    MUST(later ? rc == 55 && fake_host.cmd == cmd && fake_host.arg == arg.at
               : rc <= 0 && rc >= -4095 && rc != -ERESTART);
    if ( (rc && !(rc == -ENOBUFS && cmd == CLOISTER_OP_dump) &&
          rc != -EFAULT) || must != 1 )
        MUST(!memcmp(before, fake_guest, sizeof(before)));
}

long check_hypercall(struct vcpu *v, unsigned int cmd, unsigned long at)
{
    XEN_GUEST_HANDLE_PARAM(void) handle = {(void *)at};
    const struct range arg = {at, check_size(cmd)};
    struct snap a[FAKE_DOMAINS], b[FAKE_DOMAINS];
    bool readable = at >= FAKE_GUEST_AT && at - FAKE_GUEST_AT <=
                                               FAKE_GUEST_SIZE - arg.size;
    uint8_t in[1024] = {0};
    unsigned int i;
    long rc, must;

    if ( readable )
        memcpy(in, fake_guest + (at - FAKE_GUEST_AT), arg.size);
    memcpy(before, fake_guest, sizeof(before));
    look(a);
    must = at_once(v->domain, cmd, in, readable);
    fake_copies = 0;
    fake_host.continued = false;
    fake_current = v;
    rc = do_cloister_op(cmd, handle);
    check_quiet();
    check_copies(arg, cmd, in);
    check_answer(arg, cmd, rc, must);
    check_written(cmd);
    look(b);
    for ( i = 0; i < FAKE_DOMAINS; i++ )
        compare(&fake_domain[i], a[i], b[i], cmd, rc);
    if ( !rc )
        check_result(v->domain, cmd, in, fake_guest + (at - FAKE_GUEST_AT));
    fake_current = fake_domain[0].vcpu[0];

    return rc;
}
