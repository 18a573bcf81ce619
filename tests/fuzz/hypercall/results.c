/* SPDX-License-Identifier: GPL-2.0-only */
/* What a hypercall that succeeds may say. */
#include "world.h"
#include "abi/images.h"

static const struct domain *domain(unsigned int id)
{
    return id < FAKE_DOMAINS && fake_domain[id].exists ? &fake_domain[id]
                                                       : NULL;
}

static void host(const struct cloister_host *h)
{
    unsigned int i, sealed = 0;

    for ( i = 0; i < FAKE_DOMAINS; i++ )
        sealed += fake_domain[i].exists && cloister_sealed(&fake_domain[i]);
    MUST(h->protected_domains == sealed && h->mode == cloister_mode &&
         h->refusals == cloister_refusals());
}

static void info(const struct cloister_domain_info *in,
                 const struct cloister_domain_info *out)
{
    const struct domain *d = domain(in->domid);
    const struct cloister_domain *cd = d ? d->arch.cloister : NULL;

    MUST(d && out->domid == in->domid);
    MUST(out->state == (cd && cd->wanted ? cd->state : 0));
    MUST(out->key_slot == (cd ? (uint32_t)cd->slot : ~0u));
}

static void refusal(const struct cloister_refusal *in,
                    const struct cloister_refusal *out)
{
    MUST(out->number == in->number && !out->pad && !out->pad2 &&
         out->reason && out->number <= cloister_refusals());
}

static void ledger(const struct cloister_ledger *in,
                   const struct cloister_ledger *out)
{
    MUST(out->number == in->number && out->count && out->reason >= 31 &&
         out->reason < 31 + CLOISTER_COUNTS &&
         out->call < CLOISTER_CALLS);
}

static void a_log(const struct domain *caller, const struct cloister_log *in,
                  const struct cloister_log *out)
{
    static const uint8_t none[CLOISTER_LOG_CHUNK];
    const struct domain *d = in->domid == CLOISTER_LOG_SELF
                                 ? caller : domain(in->domid);

    MUST(out->domid == in->domid && out->offset == in->offset &&
         out->length <= sizeof(out->data));
    MUST(!out->length || (out->offset < out->total &&
                          out->length <= out->total - out->offset));
    MUST(!memcmp(out->data + out->length, none,
                 sizeof(none) - out->length));
    if ( in->domid == CLOISTER_LOG_HOST )
        return;
    MUST(d && d->arch.cloister->state == CLOISTER_DOM_sealed);
    MUST(out->total == d->arch.cloister->log_size &&
         !memcmp(out->measurement, d->arch.cloister->measurement, 32));
    MUST(!out->length || !memcmp(out->data,
                                 d->arch.cloister->log + out->offset,
                                 out->length));
}

static void hostkey(const struct cloister_hostkey *out)
{
    static const uint8_t none[CLOISTER_HOSTKEY_MAX];

    MUST(out->state <= 1 && out->length <= sizeof(out->blob) &&
         !out->length == !out->state);
    MUST(!memcmp(out->blob + out->length, none,
                 sizeof(none) - out->length));
}

static void secret(const struct domain *caller,
                   const struct cloister_secret *out)
{
    static const uint8_t none[CLOISTER_SECRET_PROOF];
    const uint8_t *sealed = world.given[caller->domain_id].sealed;
    size_t proof = out->public + out->signature;

    MUST(caller->arch.cloister->had_secret);
    MUST(out->length && out->length <= sizeof(out->secret) &&
         proof <= sizeof(out->proof));
    MUST(!memcmp(out->secret + out->length, none,
                 sizeof(out->secret) - out->length));
    MUST(!memcmp(out->proof + proof, none, sizeof(none) - proof));
    /* What its owner has sealed, for this guest. */
    MUST(out->length + 40u == world.given[caller->domain_id].size &&
         !memcmp(out->secret, sealed + 40, out->length) &&
         !memcmp(sealed + 8, caller->arch.cloister->measurement, 32));
}

static void report(const struct domain *caller,
                   const struct cloister_report *in,
                   const struct cloister_report *out)
{
    const struct cloister_domain *cd = caller->arch.cloister;

    MUST(out->quote_length <= sizeof(out->quote) &&
         out->signature_length <= sizeof(out->signature));
    MUST(!memcmp(out->body.data, in->body.data, sizeof(in->body.data)) &&
         !memcmp(out->body.uuid, caller->handle, 16) &&
         !memcmp(out->body.measurement, cd->measurement, 32) &&
         out->body.epoch == cd->launch_epoch && out->body.epoch);
}

static void dump(const struct cloister_dump *in,
                 const struct cloister_dump *out)
{
    const struct domain *d = domain(in->domid);

    MUST(d && d->arch.cloister->state == CLOISTER_DOM_sealed);
    MUST(!memcmp(in->modulus, world.modulus, sizeof(in->modulus)));
    MUST(out->length && out->length <= in->length);
}

static void migrate(const struct cloister_migrate *in,
                    const struct cloister_migrate *out)
{
    const struct domain *d = domain(in->domid);
    const struct cloister_domain *cd = d ? d->arch.cloister : NULL;
    const uint8_t *name;

    MUST(cd && !d->is_dying);
    name = world.name[world.uuid[d->domain_id] % OWNERS];
    switch ( in->action )
    {
    case CLOISTER_MIGRATE_owner:
        MUST(cd->state == CLOISTER_DOM_sealed &&
             !memcmp(out->owner, name, 32));
        break;
    case CLOISTER_MIGRATE_offer:
        MUST(cd->state == CLOISTER_DOM_building && cd->restore &&
             cd->restore->sealed && fake_host.could <= 0);
        break;
    case CLOISTER_MIGRATE_release:
        MUST(cd->state == CLOISTER_DOM_sealed && cd->release.done &&
             cloister_is_still(d) && cd->release.nonce == cd->exported &&
             !memcmp(in->challenge, cd->release.offer.challenge, 32) &&
             cloister_image_ask(cd->instance, cd->exported));
        break;
    case CLOISTER_MIGRATE_receive:
        MUST(cd->state == CLOISTER_DOM_building && cd->restore &&
             !cd->restore->sealed && cd->vm.from);
        break;
    default:
        MUST(!"an action that there is not");
    }
}

void check_result(const struct domain *caller, unsigned int cmd,
                  const void *in, const void *out)
{
    /* Wherever it stands in the caller's memory. */
    union
    {
        uint32_t revision;
        struct cloister_hostkey hostkey;
        uint8_t bytes[1024];
    } o;

    memcpy(&o, out, check_size(cmd));
    MUST(o.revision == 1);
    switch ( cmd )
    {
    case CLOISTER_OP_host: host((void *)&o); break;
    case CLOISTER_OP_domain: info(in, (void *)&o); break;
    case CLOISTER_OP_refusal: refusal(in, (void *)&o); break;
    case CLOISTER_OP_ledger: ledger(in, (void *)&o); break;
    case CLOISTER_OP_log: a_log(caller, in, (void *)&o); break;
    case CLOISTER_OP_hostkey: hostkey((void *)&o); break;
    case CLOISTER_OP_secret: secret(caller, (void *)&o); break;
    case CLOISTER_OP_report: report(caller, in, (void *)&o); break;
    case CLOISTER_OP_dump: dump(in, (void *)&o); break;
    case CLOISTER_OP_migrate: migrate(in, (void *)&o); break;
    }
}
