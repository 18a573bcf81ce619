/* SPDX-License-Identifier: GPL-2.0-only */
/* The record in the HVM context that stands for a sealed domain's state. */

#include <xen/init.h>
#include <xen/sched.h>

#include <asm/hvm/save.h>

#include "private.h"
#include "abi/record.h"

int cloister_hvm_save(const struct domain *d, struct hvm_domain_context *h)
{
    struct cloister_record r = {
        .revision = CLOISTER_RECORD_REVISION,
        .length = sizeof(r),
    };
    struct hvm_save_end end;

    memcpy(r.signature, CLOISTER_RECORD_SIGNATURE, sizeof(r.signature));
    memcpy(r.uuid, d->handle, sizeof(r.uuid));

    if ( _hvm_init_entry(h, CLOISTER_HVM_CODE, 0, sizeof(r)) )
        return -ENOSPC;
    memcpy(&h->data[h->cur], &r, sizeof(r));
    h->cur += sizeof(r);

    return hvm_save_entry(END, 0, h, &end) ? -ENOSPC : 0;
}

static int cf_check check_record(const struct domain *d,
                                 hvm_domain_context_t *h)
{
    cloister_refuse((struct domain *)d, CLOISTER_WHY_no_restore, 0);

    return -EOPNOTSUPP;
}

static int cf_check load_record(struct domain *d, hvm_domain_context_t *h)
{
    /* Not reached: the check refuses. */
    return -EOPNOTSUPP;
}

static int __init cf_check register_record(void)
{
    BUILD_BUG_ON(CLOISTER_HVM_CODE > HVM_SAVE_CODE_MAX);
    hvm_register_savevm(CLOISTER_HVM_CODE, "CLOISTER", NULL, check_record,
                        load_record, 0, HVMSR_PER_DOM);

    return 0;
}
__initcall(register_record);
