/* SPDX-License-Identifier: BSD-2-Clause */
/* Which driver for which device. */

#include "intel.h"
#include "virtio.h"

const struct cl_nic_ops *cl_nic_find(uint16_t vendor, uint16_t device)
{
    if ( vendor == INTEL_VENDOR && intel_find(device) )
        return &intel_ops;
    if ( vendor == VIRTIO_VENDOR && device == VIRTIO_NET_DEVICE )
        return &virtio_net_ops;

    return NULL;
}
