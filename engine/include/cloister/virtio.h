/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Virtual I/O Device (VIRTIO) Version 1.2": what the network card that guests
 * see (engine/siom) and the driver of such a card (engine/nic) have in common.
 * Sections in brackets.
 */
#ifndef CLOISTER_VIRTIO_H
#define CLOISTER_VIRTIO_H

#include <stdint.h>

/* PCI [4.1.2, 4.1.4]: vendor, device (not transitional), capabilities. */
#define VIRTIO_VENDOR     0x1af4u
#define VIRTIO_NET_DEVICE 0x1041u
#define VIRTIO_CAP_ID     0x09u
enum {
    VIRTIO_CAP_COMMON = 1,
    VIRTIO_CAP_NOTIFY,
    VIRTIO_CAP_ISR,
    VIRTIO_CAP_DEVICE,
    VIRTIO_CAP_CONFIG,
    VIRTIO_CAP_TYPES
};

/* Device status [2.1]. */
#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER      2u
#define VIRTIO_DRIVER_OK   4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u

/* Features [6, 5.1.3]. */
#define VIRTIO_F_EVENT_IDX       (1ull << 29)
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33) /* goes through the IOMMU */
#define VIRTIO_NET_F_CSUM        (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM  (1ull << 1)
#define VIRTIO_NET_F_MTU         (1ull << 3)
#define VIRTIO_NET_F_MAC         (1ull << 5)
#define VIRTIO_NET_F_MRG_RXBUF   (1ull << 15)
#define VIRTIO_NET_F_STATUS      (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ     (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX     (1ull << 18)

/* Common configuration [4.1.4.3]: offsets, and the sizes of what is there. */
enum {
    VIRTIO_DEVICE_SELECT = 0, /* 32 bits */
    VIRTIO_DEVICE_FEATURE = 4,
    VIRTIO_DRIVER_SELECT = 8,
    VIRTIO_DRIVER_FEATURE = 12,
    VIRTIO_CONFIG_VECTOR = 16, /* 16 bits */
    VIRTIO_NUM_QUEUES = 18,
    VIRTIO_STATUS = 20, /* 8 bits */
    VIRTIO_GENERATION = 21,
    VIRTIO_QUEUE_SELECT = 22, /* 16 bits */
    VIRTIO_QUEUE_SIZE = 24,
    VIRTIO_QUEUE_VECTOR = 26,
    VIRTIO_QUEUE_ENABLE = 28,
    VIRTIO_QUEUE_NOTIFY = 30,
    VIRTIO_QUEUE_DESC = 32, /* 64 bits, or two of 32 */
    VIRTIO_QUEUE_AVAIL = 40,
    VIRTIO_QUEUE_USED = 48,
    VIRTIO_COMMON_SIZE = 56
};

/* Split virtqueue [2.7]: descriptors, and flags of both rings. */
struct virtio_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

#define VIRTIO_DESC_NEXT          1u
#define VIRTIO_DESC_WRITE         2u /* for the device to write to */
#define VIRTIO_USED_NO_NOTIFY     1u
#define VIRTIO_AVAIL_NO_INTERRUPT 1u

/* Network configuration [5.1.4]; link status, bit 0: up. */
#define VIRTIO_NET_MAC    0u
#define VIRTIO_NET_STATUS 6u
#define VIRTIO_NET_UP     1u

/* Precedes each frame [5.1.6]. */
struct virtio_net_hdr {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u

#endif /* CLOISTER_VIRTIO_H */
