/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a domain that xl would not make, and tries to run it.
 *
 *   mkdomain pvh|hvm|nested|altp2m|ports|empty|greedy
 *
 * The domain is created, gets one page, and is unpaused; "ports" has a port of
 * the machine's among its own, which its rights do not tell; "empty" has no
 * virtual CPU; "greedy" gets all the pages that Xen has, and stays paused.
 * Prints "domid N" and "unpause OK" or "unpause ERROR"; the domain is left for
 * others to look at (xl destroy N).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xenctrl.h>

#define PAGES_MAX       (1ull << 22)    /* 16 GiB */
#define PAGING_MEMORY   (16ull << 20)   /* bytes */

#define PORT            0x3e8           /* a serial port that nobody has */

static int give_port(xc_interface *xch, uint32_t domid)
{
    return xc_domain_ioport_mapping(xch, domid, PORT, PORT, 1, 1) ?:
           xc_domain_ioport_permission(xch, domid, PORT, 1, 0);
}

static const struct kind {
    const char *name;
    uint32_t flags;
    uint32_t emulation;
    uint32_t altp2m;
    uint64_t pages;
    unsigned int vcpus;
    int (*prepare)(xc_interface *xch, uint32_t domid);
} kinds[] = {
    { "pvh", XEN_DOMCTL_CDF_hap, XEN_X86_EMU_LAPIC, 0, 1, 1, NULL },
    { "hvm", XEN_DOMCTL_CDF_hap,
      XEN_X86_EMU_ALL & ~(XEN_X86_EMU_VPCI | XEN_X86_EMU_USE_PIRQ), 0, 1, 1, NULL },
    { "nested", XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_nested_virt,
      XEN_X86_EMU_LAPIC, 0, 1, 1, NULL },
    { "altp2m", XEN_DOMCTL_CDF_hap, XEN_X86_EMU_LAPIC,
      XEN_DOMCTL_ALTP2M_mixed, 1, 1, NULL },
    { "ports", XEN_DOMCTL_CDF_hap, XEN_X86_EMU_LAPIC, 0, 1, 1, give_port },
    { "empty", XEN_DOMCTL_CDF_hap, XEN_X86_EMU_LAPIC, 0, 1, 0, NULL },
    { "greedy", XEN_DOMCTL_CDF_hap, XEN_X86_EMU_LAPIC, 0, PAGES_MAX, 1, NULL },
};

static const struct kind *find(const char *name)
{
    unsigned int i;

    for ( i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++ )
        if ( !strcmp(kinds[i].name, name) )
            return &kinds[i];

    return NULL;
}

static int create(xc_interface *xch, const struct kind *k, uint32_t *domid)
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | k->flags,
        .max_vcpus = k->vcpus ? k->vcpus : 1,
        .max_evtchn_port = -1,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .altp2m_opts = k->altp2m,
        .arch.emulation_flags = k->emulation,
    };

    const char *step = "create";
    int rc;

    *domid = 0;
    rc = xc_domain_create(xch, domid, &config);
    if ( !rc )
    {
        printf("domid %u\n", *domid);
        step = "paging memory";
        rc = xc_set_paging_mempool_size(xch, *domid, PAGING_MEMORY);
    }
    if ( rc >= 0 )
    {
        step = "virtual CPUs";
        rc = k->vcpus ? xc_domain_max_vcpus(xch, *domid, k->vcpus) : 0;
    }
    if ( rc >= 0 )
    {
        step = "maximum memory";
        rc = xc_domain_setmaxmem(xch, *domid, PAGES_MAX * 4);
    }
    if ( rc < 0 )
        printf("%s: %s\n", step, strerror(errno));

    return rc;
}

/* Page by page, so that it ends only when nothing at all is left. */
static void populate(xc_interface *xch, uint32_t domid, uint64_t pages)
{
    static const unsigned int orders[] = { 18, 9, 0 };
    uint64_t gfn = 0;
    unsigned int o;

    for ( o = pages > 1 ? 0 : 2; o < 3; o++ )
        while ( gfn + (1ull << orders[o]) <= pages )
        {
            xen_pfn_t pfn = gfn;

            if ( xc_domain_populate_physmap_exact(xch, domid, 1, orders[o],
                                                  0, &pfn) )
                break;
            gfn += 1ull << orders[o];
        }
    printf("populated %llu\n", (unsigned long long)gfn);
}

int main(int argc, char **argv)
{
    const struct kind *k = argc == 2 ? find(argv[1]) : NULL;
    xc_interface *xch;
    uint32_t domid;

    if ( !k )
    {
        fprintf(stderr, "usage: mkdomain pvh|hvm|nested|altp2m|ports|empty|greedy\n");
        return 2;
    }
    /* Failures are what this is about: no log of them. */
    xch = xc_interface_open(NULL, NULL, 0);
    if ( !xch || create(xch, k, &domid) < 0 )
        return 1;
    populate(xch, domid, k->pages);
    if ( k->prepare && k->prepare(xch, domid) )
        printf("prepare: %s\n", strerror(errno));

    if ( k->pages > 1 )
        ;
    else if ( xc_domain_unpause(xch, domid) )
        printf("unpause %s\n", strerror(errno));
    else
        printf("unpause OK\n");
    xc_interface_close(xch);

    return 0;
}
