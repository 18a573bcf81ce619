/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel gigabit controllers: the registers that are used, descriptors, and
 * what the e1000e and igb families have different.
 *
 * Sections are those of the 82574 datasheet (revision 3.4) and, after the
 * slash, of the 82576 datasheet (revision 2.63); I210, I211, I350 and
 * I217-I219 have the same registers in the same places.
 */
#ifndef CLOISTER_NIC_INTEL_H
#define CLOISTER_NIC_INTEL_H

#include <cloister/nic.h>

#define INTEL_BAR 0u

/* ---- Registers (32 bits each) ----------------------------------------- */

#define CTRL                0x0000u    /* device control, 10.2.2.1 / 8.2.1 */
#define CTRL_MASTER_DISABLE (1u << 2)  /* no new DMA */
#define CTRL_LRST           (1u << 3)  /* link reset */
#define CTRL_ASDE           (1u << 5)  /* auto-speed detection */
#define CTRL_SLU            (1u << 6)  /* set link up */
#define CTRL_FRCSPD         (1u << 11) /* force speed */
#define CTRL_FRCDPX         (1u << 12) /* force duplex */
#define CTRL_RST            (1u << 26) /* reset; clears itself */
#define CTRL_VME            (1u << 30) /* VLAN tags are taken out */

#define STATUS        0x0008u    /* 10.2.2.2 / 8.2.2 */
#define STATUS_LU     (1u << 1)  /* link is up */
#define STATUS_MASTER (1u << 19) /* DMA is going on */

#define EECD         0x0010u   /* NVM control, 10.2.2.3 / 8.2.3 */
#define EECD_AUTO_RD (1u << 9) /* the NVM has been read */

/* PHY registers, igb, 8.2.4: here only BMCR (IEEE 802.3, 22.2.4.1). */
#define MDIC 0x0020u
#define MDIC_AUTONEGOTIATE                                                 \
    (1u << 26 | 1u << 21 | 0x1340u) /* write PHY 1, register 0: restart */

#define ICR \
    0x00c0u                  /* causes, cleared by reading,                   \
                                10.2.4.1 / 8.8.9 */
#define IMS        0x00d0u   /* mask set, 10.2.4.5 / 8.8.12 */
#define IMC        0x00d8u   /* mask clear, 10.2.4.6 / 8.8.13 */
#define INT_TXDW   (1u << 0) /* a Tx descriptor was written back */
#define INT_LSC    (1u << 2) /* link status has changed */
#define INT_RXDMT0 (1u << 4) /* few Rx descriptors are left */
#define INT_RXO    (1u << 6) /* Rx overrun */
#define INT_RXT0   (1u << 7) /* a frame was received */

/* Interrupt throttling, 10.2.4.2 / 8.8.14: at most one in 50 us. */
#define ITR        0x00c4u
#define ITR_50US   195u /* of 256 ns */
#define EITR0      0x1680u
#define EITR0_50US (50u << 2)

#define RCTL       0x0100u /* 10.2.5.1 / 8.10.1 */
#define RCTL_EN    (1u << 1)
#define RCTL_UPE   (1u << 3)  /* all unicast */
#define RCTL_MPE   (1u << 4)  /* all multicast */
#define RCTL_BAM   (1u << 15) /* broadcast */
#define RCTL_SECRC (1u << 26) /* no check sequence; 2 KiB buffers */

#define TCTL      0x0400u /* 10.2.6.1 / 8.12.1 */
#define TCTL_EN   (1u << 1)
#define TCTL_PSP  (1u << 3)   /* pad short packets */
#define TCTL_CT   (15u << 4)  /* collision threshold */
#define TCTL_COLD (63u << 12) /* collision distance, full duplex */

/* A queue: offsets from the family's base, 10.2.5.4 ff / 8.10.5 ff */
#define Q_BAL           0x00u /* address, bits 31:0 */
#define Q_BAH           0x04u
#define Q_LEN           0x08u /* bytes, a multiple of 128 */
#define Q_SRRCTL        0x0cu /* igb Rx, 8.10.2 */
#define Q_HEAD          0x10u
#define Q_TAIL          0x18u
#define Q_DCTL          0x28u
#define SRRCTL_2KIB     2u         /* buffer size, KiB */
#define SRRCTL_ADVANCED (1u << 25) /* advanced descriptors, one buffer */
#define DCTL_ENABLE     (1u << 25) /* igb: the queue works */
#define DCTL_COUNT_DESC (1u << 22) /* e1000e Tx: must be 1, 10.2.6.9 */

#define IVAR0      0x1700u /* igb: queue 0's causes, 8.8.15 */
#define IVAR0_BOTH 0x8080u /* Rx and Tx of queue 0: valid, 0 */

#define MPC \
    0x4010u /* missed packets, cleared by reading,                            \
               10.2.7.4 / 8.18.4 */

#define RAL(n) (0x5400u + (n) * 8) /* 10.2.5.21 / 8.10.16 */
#define RAH(n) (0x5404u + (n) * 8)
#define RAH_AV (1u << 31) /* address is valid */

/* I219 only; specification update, "LAN packets may be dropped" */
#define FEXTNVM11      0x5bbcu
#define FEXTNVM11_MULR (1u << 13) /* or a reset may hang */

/* ---- Descriptors: 16 bytes; 3.2.4, 3.3.3 / 7.1.5, 7.2.2 --------------- */

/*
 * word[0] is the buffer's address (the device overwrites it on reception in
 * the advanced format), word[1]:
 *
 *   Tx, both      31:24 command, 23:20 type, 15:0 length
 *                 63:46 payload length (advanced), 32 done
 *   Rx, legacy    47:40 errors, 33 end of packet, 32 done, 15:0 length
 *   Rx, advanced  47:32 length, 31:20 errors, 1 end of packet, 0 done
 */
struct intel_desc {
    uint64_t word[2];
};

#define TX_EOP    (1u << 24) /* end of packet */
#define TX_IFCS   (1u << 25) /* insert the check sequence */
#define TX_RS     (1u << 27) /* report status */
#define TX_DEXT   (1u << 29) /* advanced, */
#define TX_DATA   (3u << 20) /* type data */
#define TX_DONE   (1ull << 32)
#define TX_PAYLEN 46 /* shift */

#define RX_DONE 1u /* at the family's shift */
#define RX_EOP  2u

/* ---- Families --------------------------------------------------------- */

struct intel_family {
    uint16_t rx_queue, tx_queue; /* register blocks */
    uint32_t tx_command;
    uint8_t tx_paylen; /* 1: the descriptor wants it */
    uint8_t rx_status; /* shifts of word[1] */
    uint8_t rx_length;
    uint64_t rx_errors;            /* mask of word[1] */
    uint32_t rx_setup;             /* SRRCTL, 0: there is none */
    uint32_t rx_enable, tx_enable; /* set in DCTL */
    uint32_t throttle_reg, throttle;
    uint32_t mdic; /* wakes the link up; 0: it wakes by itself */
    uint32_t ivar; /* 0: there is none */
};

/* ---- The controllers -------------------------------------------------- */

#define INTEL_SLOW_RESET 1u /* says nothing of when it is ready again */
#define INTEL_FLUSH      2u /* a reset with work left may hang it */
#define INTEL_NO_ASPM    4u /* hangs when the link sleeps */

struct intel_id {
    uint16_t device;
    uint8_t igb;     /* family */
    uint8_t filters; /* usable receive addresses */
    uint8_t flags;
};

#define INTEL_VENDOR 0x8086u

/* NULL: not supported. */
const struct intel_id *intel_find(uint16_t device);

extern const struct intel_family intel_e1000e, intel_igb;
extern const struct cl_nic_ops intel_ops;

#endif /* CLOISTER_NIC_INTEL_H */
