/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to domains: as seal.c and Xen's domctls do it, in short. */
#include <openssl/sha.h>

#include <cloister/measure.h>

#include "world.h"
#include "abi/dump.h"
#include "abi/evidence.h"

struct world world;

static struct vcpu vcpus[FAKE_DOMAINS];
static struct cpu_policy policies[FAKE_DOMAINS];

void world_unlike(uint8_t *to, size_t size, unsigned int what)
{
    while ( size-- )
        *to++ = (uint8_t)((what = what * 1103515245u + 12345) >> 16);
}

void world_idle(void)
{
    unsigned int i;

    for ( i = 0; i < 60 && fake_tpm_tick(); i++ )
        ;
}

struct image *world_image(const uint8_t instance[16], uint64_t nonce)
{
    unsigned int i;

    for ( i = 0; i < IMAGES; i++ )
        if ( world.image[i].size && world.image[i].nonce == nonce &&
             !memcmp(world.image[i].instance, instance, 16) )
            return &world.image[i];

    return NULL;
}

/* A guest must not run twice from one state. */
static void live(const uint8_t instance[16], uint64_t nonce)
{
    struct image *im = world_image(instance, nonce);

    if ( im )
        MUST(++im->lives == 1);
}

/* ---- Birth and death ------------------------------------------------------------- */

static void give_card(struct domain *d)
{
    struct cloister_port *cp = xzalloc(struct cloister_port);

    if ( !cp )
        return;
    cp->d = d;
    cp->config.mtu = 1500;
    d->arch.cloister->siom = cp;
}

static void create(unsigned int id, uint8_t how)
{
    struct domain *d = &fake_domain[id];

    if ( d->exists )
        return;
    memset(d, 0, sizeof(*d));
    memset(&vcpus[id], 0, sizeof(vcpus[id]));
    d->domain_id = (domid_t)id;
    d->hvm = id && id < FAKE_DOMAINS - 1;
    d->max_vcpus = 1;
    d->vcpu[0] = &vcpus[id];
    vcpus[id].domain = d;
    d->arch.cpu_policy = &policies[id];
    world.uuid[id] = how % UUIDS;
    memset(d->handle, 0xd0 + world.uuid[id], sizeof(d->handle));
    d->exists = !cloister_domain_create(d);
    if ( !d->exists || !d->arch.cloister )
        return;
    fake_pages_assign(d);
    if ( how & 0x40 )
        give_card(d);
}

static void kill(struct domain *d)
{
    if ( !d->exists || !d->domain_id )
        return;
    d->is_dying = true;
    cloister_domain_kill(d);
    MUST(!d->arch.cloister || !d->arch.cloister->vm.key);
}

static void destroy(struct domain *d)
{
    if ( !d->exists || !d->domain_id || d == current->domain )
        return;
    kill(d);
    if ( d->arch.cloister )
        fake_pages_free(d);
    cloister_domain_destroy(d);
    d->exists = false;
}

/* ---- The seal --------------------------------------------------------------------- */

/* As measure.c does: how the guest was made, and what its owner has said. */
static size_t make_log(uint8_t *log, size_t cap, unsigned int uuid,
                       uint8_t measurement[32])
{
    const struct cloister_launch_config c = {
        .revision = CLOISTER_LOG_REVISION, .vcpus = 1, .pages = 3,
    };
    char page[512] = "root=/dev/vda " CLOISTER_DUMP_OPTION;
    uint8_t digest[32];
    struct cl_measure m;
    unsigned int i;

    SHA256(world.modulus, sizeof(world.modulus), digest);
    for ( i = 0; i < 32; i++ )
        sprintf(page + strlen(page), "%02x", digest[i]);
    strcat(page, " " CLOISTER_MIGRATION_OPTION);
    for ( i = 0; i < 32; i++ )
        sprintf(page + strlen(page), "%02x",
                world.name[uuid % OWNERS][i]);
    cl_measure_init(&m, log, cap);
    MUST(!cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &c, sizeof(c)));
    MUST(!cl_measure_item(&m, CLOISTER_ITEM_start, 0, 0, page, sizeof(page)));
    MUST(!cl_measure_finish(&m, measurement));

    return m.used;
}

static enum cloister_reason measure(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;

    if ( cd->restore )
        return cloister_restore_log(cd);
    if ( !cd->log )
        cd->log = vzalloc(4096);
    if ( !cd->log )
        return CLOISTER_WHY_no_log_memory;
    cd->log_size = make_log(cd->log, 4096, world.uuid[d->domain_id],
                            cd->measurement);

    return CLOISTER_WHY_none;
}

static void refuse(struct domain *d, enum cloister_reason why)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned int i;

    cloister_restore_untake(cd);
    for ( i = 0; i < 3; i++ )
        cl_page_unseal(&cd->vm, fake_page(d->domain_id * 3 + i));
    cd->state = CLOISTER_DOM_building;
    cloister_event_end(d);
    cloister_key_drop(cd);
    cloister_measure_drop(cd);
    cloister_refuse(d, why, 0);
}

static enum cloister_reason begin(struct domain *d, int *rc)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why = cloister_restore_check(d);

    if ( !why && cd->slot < 0 )
        why = cloister_key_take(cd);
    if ( !why )
        why = cloister_restore_take(cd, rc);

    return why;
}

static enum cloister_reason close_all(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    enum cloister_reason why;
    unsigned int i;

    cd->state = CLOISTER_DOM_sealing;
    for ( i = 0; i < 3; i++ )
        cl_page_seal(&cd->vm, fake_page(d->domain_id * 3 + i), 0x100 + i);
    for ( i = 0; i < CLOISTER_RINGS; i++ )
        cd->ring[i].gfn = ~0UL;
    why = measure(d);
    if ( !why && cloister_event_launch(d) )
        why = CLOISTER_WHY_events_full;
    if ( !why && !cd->restore )
        return cloister_siom_attach(d);

    return why ? why : cloister_restore_finish(d);
}

/* An unpause: it runs from now on, sealed or not. */
static void seal(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct cloister_restore was = {};
    enum cloister_reason why;
    int rc = 0;

    if ( !d->exists || d->is_dying || d->creation_finished || !d->domain_id )
        return;
    d->creation_finished = !cd || !cd->wanted;
    if ( d->creation_finished )
        return;
    if ( cd->restore )
        was = *cd->restore;
    why = begin(d, &rc);
    if ( rc )
        return;
    why = why ? why : close_all(d);
    if ( why )
    {
        refuse(d, why);
        return;
    }
    if ( was.size && !was.foreign )
        live(was.instance, was.nonce);
    cd->vm.sealed = d->creation_finished = true;
    cd->state = CLOISTER_DOM_sealed;
}

void world_seal_whole(unsigned int id)
{
    seal(&fake_domain[id]);
    world_idle();
}

/* ---- Suspend, save, restore, resume -------------------------------------------------- */

static void take_views(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    unsigned int i;

    for ( i = 0; i < 3; i++ )
    {
        struct cl_page *p = fake_page(d->domain_id * 3 + i);
        struct cl_view v;

        if ( cl_view_begin(&cd->vm, p, &v) )
            continue;
        memset(v.tag, 0x77, sizeof(v.tag));
        cl_view_end(&cd->vm, p, &v);
    }
}

static void suspend(struct domain *d)
{
    if ( !d->creation_finished || d->is_shut_down )
        return;
    d->is_shut_down = true;
    d->shutdown_code = 2;       /* SHUTDOWN_suspend */
    cloister_shuts_down(d);
}

/* Twice, as views count only when the guest is known to be still. */
static void save(struct domain *d)
{
    struct image *im = &world.image[world.images % IMAGES];
    struct hvm_domain_context h = {.size = sizeof(im->data)};
    struct cloister_domain *cd = d->arch.cloister;
    int rc;

    if ( !cloister_sealed(d) || !cd->vm.key )
        return;
    MUST(cloister_hvm_size(d) <= h.size);
    h.data = fake_alloc(h.size, false);
    if ( !h.data )
        return;
    rc = cloister_hvm_save(d, &h);
    take_views(d);
    if ( rc )
        rc = cloister_hvm_save(d, &h);
    check_secrets(h.data, rc ? h.size : h.cur, false);
    if ( !rc )
    {
        *im = (struct image){.nonce = cd->exported, .size = h.cur,
                             .uuid = world.uuid[d->domain_id]};
        memcpy(im->instance, cd->instance, 16);
        memcpy(im->data, h.data, h.cur);
        world.images++;
    }
    fake_free(h.data);
}

static void resume(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    uint64_t exported = cd ? cd->exported : 0;

    if ( !d->is_shut_down || d->is_dying || cloister_resume(d) )
        return;
    if ( exported )
        live(cd->instance, exported);
    d->is_shut_down = false;
    cloister_resumed(d);
}

/* sethvmcontext, with as many bytes of it changed as the input says. */
static void restore(struct domain *d, struct image *im, struct input *in)
{
    struct hvm_domain_context h = {.size = im->size};
    uint8_t flips = take8(in) & 1;

    if ( !d->exists || d->creation_finished || !im->size || d->is_dying )
        return;
    h.data = malloc(h.size);
    memcpy(h.data, im->data, h.size);
    if ( flips )
        h.data[take32(in) % h.size] ^= take8(in);
    if ( !cloister_check_context(d, &h) && !hvm_load(d, false, &h) )
        MUST(!hvm_load(d, true, &h));
    free(h.data);
}

/* A record that another host of the owner's has made. */
static void arrive(unsigned int uuid, struct image *im)
{
    struct cloister_record head = {.nonce = 7};
    struct cloister_record_state state = {.vcpus = 1, .epoch = 5};
    struct hvm_save_descriptor *desc;
    struct hvm_domain_context h = {.size = 1024, .data = malloc(1024)};
    uint8_t raw[CL_KEY_SIZE], log[2048];
    struct cl_key_table t = {.slot = &im->key, .slots = 1};
    const size_t at = 2 * sizeof(*desc) + sizeof(struct hvm_save_header);
    struct cl_record r;
    size_t log_size, length;

    memset(im, 0, sizeof(*im));
    world_unlike(raw, sizeof(raw), 0x4b);
    cloister_instance_id(raw, im->instance);
    MUST(!cl_key_install(&t, raw));
    log_size = make_log(log, sizeof(log), uuid, state.measurement);
    MUST(!hvm_save(&fake_domain[0], &h));
    cloister_cpu_digest(&fake_domain[0], state.cpu);
    memset(head.uuid, 0xd0 + uuid, sizeof(head.uuid));
    memset(head.host, 0x99, sizeof(head.host));
    memcpy(head.instance, im->instance, 16);
    MUST(!cl_record_begin(&r, im->data + at, sizeof(im->data) - at, h.cur,
                          log_size, 3, 0));
    memset(cl_record_keys(&r), 0, sizeof(struct cloister_record_key));
    memcpy(r.hvm, h.data, h.cur);
    memcpy(r.log, log, log_size);
    im->key.counter = head.nonce;
    length = cl_record_seal(&r, &im->key, &head, &state);
    memcpy(im->data, h.data, at - sizeof(*desc));
    desc = (void *)(im->data + at - sizeof(*desc));
    *desc = (struct hvm_save_descriptor){.typecode = CLOISTER_HVM_CODE,
                                         .length = length};
    desc = (void *)(im->data + at + length);
    *desc = (struct hvm_save_descriptor){0};
    im->size = at + length + sizeof(*desc);
    im->nonce = head.nonce;
    im->foreign = true;
    im->uuid = uuid;
    free(h.data);
}

/* ---- Steps ------------------------------------------------------------------------- */

void world_step(struct input *in)
{
    uint8_t what = take8(in), how = take8(in);
    struct domain *d = &fake_domain[how % FAKE_DOMAINS];
    struct image *im = &world.image[(how >> 4) % IMAGES];
    unsigned int i;

    switch ( what % 12 )
    {
    case 0: create(how % FAKE_DOMAINS, take8(in)); break;
    case 1: kill(d); break;
    case 2: destroy(d); break;
    case 3:
    case 4: seal(d); break;
    case 5: if ( d->exists ) suspend(d); break;
    case 6: if ( d->exists ) save(d); break;
    case 7: if ( d->exists ) resume(d); break;
    case 8: restore(d, im, in); break;
    case 9: arrive(take8(in) % UUIDS, im); break;
    case 10:
        fake_tpm.answer = how % 4;
        if ( fake_tpm.answer == FAKE_ODD )
            take(in, fake_tpm.odd, 24);
        fake_tpm_tick();
        break;
    case 11:
        for ( i = 0; i <= how; i += 8 )
            fake_tpm_tick();
        fake_now += SECONDS(how & 3) * 8;
        break;
    }
    check_quiet();
}

void world_begin(uint8_t mode)
{
    static struct cl_siom engine;
    unsigned int i;

    memset(world.modulus, 0x6d, sizeof(world.modulus));
    for ( i = 0; i < OWNERS; i++ )
    {
        world_unlike(world.owner[i], sizeof(world.owner[i]), 0x31 + i);
        cloister_derive(world.owner[i], CLOISTER_MIGRATION_NAME, NULL,
                        world.name[i]);
    }
    fake_now = SECONDS(100);
    cloister_mode = mode & 1 ? CLOISTER_MODE_optin : CLOISTER_MODE_on;
    cloister_has_aes = iommu_enabled = true;
    cloister_siom = mode & 2 ? &engine : NULL;
    cloister_key_pcrs = 0x2003ff;
    MUST(!cloister_keys_init() && !cloister_events_init());
    fake_table_begin();
    for ( i = 0; i < FAKE_DOMAINS; i++ )
        create(i, (uint8_t)(i | 0x40));
    fake_current = fake_domain[0].vcpu[0];
}
