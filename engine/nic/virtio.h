/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net as a physical NIC (clouds): what is used of "Virtual I/O Device
 * (VIRTIO) Version 1.2".  Sections in brackets.
 */
#ifndef CLOISTER_NIC_VIRTIO_H
#define CLOISTER_NIC_VIRTIO_H

#include <cloister/nic.h>

#define VIRTIO_VENDOR 0x1af4u
#define VIRTIO_NET_DEVICE 0x1041u /* modern only [4.1.2.1] */

/* Vendor capabilities in configuration space [4.1.4]. */
#define CAP_VENDOR 0x09u
#define CAP_TYPE 3u /* offsets in the capability, 8 bits */
#define CAP_BAR 4u
#define CAP_OFFSET 8u /* 32 bits */
#define CAP_LENGTH 12u
#define CAP_NOTIFY_MULTIPLIER 16u
#define CAP_COMMON 1u /* types */
#define CAP_NOTIFY 2u
#define CAP_DEVICE 4u
#define CAP_TYPES 5u

/* Common configuration [4.1.4.3]: offset, size. */
#define DEVICE_FEATURE_SELECT 0x00u, 4
#define DEVICE_FEATURE 0x04u, 4
#define DRIVER_FEATURE_SELECT 0x08u, 4
#define DRIVER_FEATURE 0x0cu, 4
#define CONFIG_MSIX_VECTOR 0x10u, 2
#define DEVICE_STATUS 0x14u, 1
#define QUEUE_SELECT 0x16u, 2
#define QUEUE_SIZE 0x18u, 2
#define QUEUE_MSIX_VECTOR 0x1au, 2
#define QUEUE_ENABLE 0x1cu, 2
#define QUEUE_NOTIFY_OFF 0x1eu, 2
#define QUEUE_DESC 0x20u /* 64 bits, as two of 32 */
#define QUEUE_DRIVER 0x28u
#define QUEUE_DEVICE 0x30u
#define COMMON_SIZE 0x38u

#define STATUS_ACKNOWLEDGE 1u /* [2.1] */
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u

#define FEATURE_MAC 5u /* bits [5.1.3, 6] */
#define FEATURE_STATUS 16u
#define FEATURE_VERSION_1 32u
#define FEATURE_ACCESS_PLATFORM 33u /* goes through the IOMMU */

/* Network configuration [5.1.4]. */
#define NET_MAC 0u    /* six bytes */
#define NET_STATUS 6u /* bit 0: link is up */

#define NET_HEADER 12u /* before each frame [5.1.6] */

/* Split virtqueue [2.7]. */
struct vq_desc
{
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

#define DESC_WRITE 2u /* for the device to write to */
#define AVAIL_NO_INTERRUPT 1u

struct vq_used
{
    uint32_t id;
    uint32_t len;
};

extern const struct cl_nic_ops virtio_net_ops;

#endif /* CLOISTER_NIC_VIRTIO_H */
