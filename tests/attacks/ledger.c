/* SPDX-License-Identifier: BSD-2-Clause */
/* What Cloister says that it has refused: see attack.h. */
#include "attack.h"

#include <abi/hypercall.h>

uint64_t newest_refusal(void)
{
    struct cloister_counts c = {
        .revision = CLOISTER_ABI_REVISION,
        .domid = CLOISTER_DOMID_HOST,
    };

    return cloister_op(CLOISTER_OP_counts, &c, sizeof(c)) ? 0 : c.newest;
}

unsigned int operations_refused(uint32_t domid, uint64_t from)
{
    struct cloister_ledger e = {.revision = CLOISTER_ABI_REVISION};
    uint64_t nr = newest_refusal();
    unsigned int n = 0;

    for ( ; nr > from; nr-- )
    {
        e.number = nr;
        if ( !cloister_op(CLOISTER_OP_ledger, &e, sizeof(e)) )
            n += e.domid == domid || e.domid == CLOISTER_DOMID_HOST;
    }
    return n;
}
