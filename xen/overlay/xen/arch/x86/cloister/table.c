/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for the page permission table. */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/vmap.h>

#include "private.h"

struct cl_ppt cloister_ppt;

static DEFINE_SPINLOCK(table_lock);
static unsigned long leaves;

/* How much memory the table may take for all domains together, MiB. */
static unsigned int __ro_after_init opt_tables;
integer_param("cloister-tables", opt_tables);

int __init cloister_table_init(void)
{
    uint64_t slots = cl_ppt_root_slots(max_page);

    cloister_ppt.root = vzalloc(slots * sizeof(*cloister_ppt.root));
    if ( !cloister_ppt.root )
        return -ENOMEM;
    cloister_ppt.frames = max_page;

    return 0;
}

void cloister_table_lock(void)
{
    spin_lock(&table_lock);
}

void cloister_table_unlock(void)
{
    spin_unlock(&table_lock);
}

/* Frames of [mfn, mfn + nr) that lie in mfn's leaf. */
static unsigned int leaf_part(unsigned long mfn, unsigned long nr)
{
    return min(nr, CL_LEAF_PAGES - mfn % CL_LEAF_PAGES);
}

static int hold_part(unsigned long mfn, unsigned int nr)
{
    void *spare = NULL;
    int rc;

    spin_lock(&table_lock);
    rc = cl_ppt_hold(&cloister_ppt, mfn, nr, &spare);
    spin_unlock(&table_lock);
    if ( rc != -ENOMEM )
        return rc;

    if ( opt_tables && leaves >> (20 - PAGE_SHIFT) >= opt_tables )
        return -ENOMEM;
    spare = alloc_xenheap_page();
    if ( !spare )
        return -ENOMEM;
    clear_page(spare);

    spin_lock(&table_lock);
    rc = cl_ppt_hold(&cloister_ppt, mfn, nr, &spare);
    leaves += !spare;
    spin_unlock(&table_lock);

    if ( spare )
        free_xenheap_page(spare);

    return rc;
}

static void drop_part(unsigned long mfn, unsigned int nr)
{
    void *leaf;

    spin_lock(&table_lock);
    leaf = cl_ppt_drop(&cloister_ppt, mfn, nr);
    leaves -= !!leaf;
    spin_unlock(&table_lock);

    if ( leaf )
        free_xenheap_page(leaf);
}

int cloister_table_hold(unsigned long mfn, unsigned long nr)
{
    unsigned long done = 0;

    while ( done < nr )
    {
        unsigned int part = leaf_part(mfn + done, nr - done);
        int rc = hold_part(mfn + done, part);

        if ( rc )
        {
            cloister_table_drop(mfn, done);
            return rc;
        }
        done += part;
    }

    return 0;
}

void cloister_table_drop(unsigned long mfn, unsigned long nr)
{
    while ( nr )
    {
        unsigned int part = leaf_part(mfn, nr);

        drop_part(mfn, part);
        mfn += part;
        nr -= part;
    }
}

uint64_t cloister_table_bytes(void)
{
    return leaves * PAGE_SIZE +
           cl_ppt_root_slots(cloister_ppt.frames) *
           sizeof(*cloister_ppt.root);
}
