/* SPDX-License-Identifier: GPL-2.0-only */
/* The host: command line, start-up, and what dom0 loses by it. */

#include <xen/err.h>
#include <xen/init.h>
#include <xen/iommu.h>
#include <xen/param.h>

#include <asm/guest.h>

#include "../../../drivers/passthrough/ats.h"
#include "private.h"

/* Not used by anything else in public/xen.h, and not in the domain hash. */
#define DOMID_VIEW  0x7FF8

unsigned int __ro_after_init cloister_mode = CLOISTER_MODE_on;
bool __ro_after_init cloister_unsafe_lab;
bool __ro_after_init cloister_restore_lazy = true;
bool __ro_after_init cloister_has_aes;
struct domain *__ro_after_init dom_view;

static int __init cf_check parse_cloister(const char *s)
{
    const char *ss;
    int rc = 0;

    do {
        ss = strchr(s, ',');
        if ( !ss )
            ss = strchr(s, '\0');

        if ( !cmdline_strcmp(s, "on") )
            cloister_mode = CLOISTER_MODE_on;
        else if ( !cmdline_strcmp(s, "optin") )
            cloister_mode = CLOISTER_MODE_optin;
        else if ( !cmdline_strcmp(s, "off") )
            cloister_mode = CLOISTER_MODE_off;
        else if ( !cmdline_strcmp(s, "unsafe-lab") )
            cloister_unsafe_lab = true;
        else if ( !cmdline_strcmp(s, "restore=lazy") )
            cloister_restore_lazy = true;
        else if ( !cmdline_strcmp(s, "restore=eager") )
            cloister_restore_lazy = false;
        else
            rc = -EINVAL;

        s = ss + 1;
    } while ( *ss );

    return rc;
}
custom_param("cloister", parse_cloister);

bool cloister_wants_strict_iommu(void)
{
    return cloister_mode != CLOISTER_MODE_off;
}

/* Interrupt remapping and DMA remapping that dom0's devices cannot escape. */
static enum cloister_reason iommu_reason(void)
{
    const struct domain_iommu *hd;

    if ( !iommu_enabled )
        return CLOISTER_WHY_no_iommu;
    if ( !iommu_intremap )
        return CLOISTER_WHY_no_intremap;
    if ( ats_enabled )
        return CLOISTER_WHY_ats;

    hd = dom_iommu(hardware_domain);
    if ( iommu_hwdom_passthrough ||
         (!hd->need_sync && !hd->hap_pt_share) )
        return CLOISTER_WHY_iommu_relaxed;

    return CLOISTER_WHY_none;
}

enum cloister_reason cloister_host_reason(void)
{
    enum cloister_reason why;

    if ( cloister_mode == CLOISTER_MODE_off )
        return CLOISTER_WHY_off;
    if ( !cloister_has_aes )
        return CLOISTER_WHY_no_aes;
    if ( !cpu_has(&boot_cpu_data, X86_FEATURE_RDRAND) )
        return CLOISTER_WHY_no_random;
    if ( !dom_view || !cloister_ppt.root || !cloister_keys.slot )
        return CLOISTER_WHY_no_memory;
    if ( cloister_unsafe_lab )
        return CLOISTER_WHY_none;

    why = iommu_reason();
    if ( why )
        return why;

    return cloister_tpm_reason();
}

static bool __init cpu_can_encrypt(void)
{
    uint8_t zero[CL_KEY_SIZE] = {};
    struct cl_gcm_key key;
    struct cloister_simd simd;
    int rc;

    cloister_simd_begin(&simd);
    rc = cl_gcm_init(&key, zero);
    cloister_simd_end(&simd);

    return !rc;
}

static int __init make_dom_view(void)
{
    struct domain *d = domain_create(DOMID_VIEW, NULL, 0);

    if ( IS_ERR(d) )
        return PTR_ERR(d);

    /* Frames are freed as other domains' are, so these must be in order. */
    INIT_PAGE_LIST_HEAD(&d->arch.relmem_list);
    d->max_pages = UINT_MAX;
    dom_view = d;

    return 0;
}

static void __init announce(void)
{
    static const char *const modes[] = { "off", "on", "optin" };

    printk("Cloister: %s%s\n", modes[cloister_mode],
           cloister_has_aes ? "" : "; the CPU lacks AES instructions");
    if ( cloister_unsafe_lab )
        printk(XENLOG_WARNING
               "Cloister: ***** UNSAFE LAB MODE: no TPM and no IOMMU needed;"
               " guests are NOT safe from this host *****\n");
}

static int __init cf_check cloister_init(void)
{
    int rc = 0;

    if ( cloister_mode != CLOISTER_MODE_off )
    {
        cloister_has_aes = cpu_can_encrypt();
        if ( cloister_has_aes )
            cloister_simd_init();
        cloister_hostkey_init();
        rc = make_dom_view() ?: cloister_table_init() ?:
             cloister_keys_init() ?: cloister_events_init();
        if ( rc )
            printk(XENLOG_ERR "Cloister: no memory for its tables (%d): "
                   "no guest can be protected\n", rc);
    }
    announce();

    return 0;
}
__initcall(cloister_init);
