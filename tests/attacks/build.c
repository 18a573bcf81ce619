/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PVH guest, built as libxl builds it, but in tenths of a second: without
 * xenstore, console and CPU policy.
 */
#include <stdlib.h>

#include "attack.h"

#include <xenguest.h>

#define KERNEL "/files/victim.elf"
#define PAGING_BYTES (2ul << 20)
#define SPARE_KIB 4096
#define HOLE_START 0xfc000000ul /* libxl's for PVH guests */
#define TSC_NATIVE 2

unsigned long guest_mib = GUEST_MIB;

static int create(uint32_t *id)
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = 1,
        .max_evtchn_port = -1,
        .max_grant_frames = 4,
        .max_maptrack_frames = 0,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch.emulation_flags = XEN_X86_EMU_LAPIC,
    };

    *id = 0;
    return xc_domain_create(xch, id, &config);
}

/* dom0 has processor 0 for itself, as with the lab's guests. */
static int place(uint32_t id)
{
    xc_cpumap_t map = xc_cpumap_alloc(xch);
    int rc, i, size = xc_get_cpumap_size(xch);

    if ( !map )
        return -1;
    for ( i = 0; i < size; i++ )
        map[i] = 0xff;
    if ( xc_get_max_cpus(xch) > 1 )
        map[0] &= ~1;
    rc = xc_vcpu_setaffinity(xch, id, 0, map, NULL, XEN_VCPUAFFINITY_HARD);
    free(map);
    return rc;
}

static int prepare(uint32_t id)
{
    if ( xc_domain_max_vcpus(xch, id, 1) || place(id) ||
         xc_set_paging_mempool_size(xch, id, PAGING_BYTES) ||
         xc_domain_setmaxmem(xch, id, guest_mib * 1024 + SPARE_KIB) )
        return -1;
    return xc_domain_set_tsc_info(xch, id, TSC_NATIVE, 0, 0, 0);
}

static int memory_map(uint32_t id)
{
    struct e820entry map[2] = {
        {.addr = 0, .size = guest_mib << 20, .type = 1},
        {.addr = HOLE_START, .size = (4ul << 30) - HOLE_START, .type = 2},
    };

    return xc_domain_set_memory_map(xch, id, map, 2);
}

static int load(struct xc_dom_image *dom, uint32_t id)
{
    dom->container_type = XC_DOM_HVM_CONTAINER;
    dom->target_pages = guest_mib << 8;
    dom->mmio_start = HOLE_START;
    dom->mmio_size = (4ul << 30) - HOLE_START;
    dom->lowmem_end = guest_mib << 20;
    dom->max_vcpus = 1;
    dom->console_evtchn = xc_evtchn_alloc_unbound(xch, id, 0);
    dom->xenstore_evtchn = xc_evtchn_alloc_unbound(xch, id, 0);

    if ( xc_dom_kernel_file(dom, KERNEL) ||
         xc_dom_boot_xen_init(dom, xch, id) || xc_dom_parse_image(dom) ||
         xc_dom_mem_init(dom, guest_mib) || xc_dom_boot_mem_init(dom) ||
         memory_map(id) || xc_dom_build_image(dom) || xc_dom_boot_image(dom) ||
         xc_dom_gnttab_init(dom) )
        return -1;
    return set_param(id, HVM_PARAM_STORE_EVTCHN, dom->xenstore_evtchn);
}

int build_guest(const char *command_line, uint32_t *id)
{
    struct xc_dom_image *dom;
    int rc = -1;

    if ( create(id) )
        return -1;
    xc_dom_loginit(xch);
    dom = xc_dom_allocate(xch, command_line, NULL);
    if ( dom && !prepare(*id) )
        rc = load(dom, *id);
    if ( dom )
        xc_dom_release(dom);
    if ( rc )
        xc_domain_destroy(xch, *id);
    return rc;
}
