/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's controllers, by PCI device number, and the two families. */

#include "intel.h"

#define E1000E 0
#define IGB    1

/* One receive address: the others of I217-I219 may be its firmware's. */
#define PCH  E1000E, 1, INTEL_SLOW_RESET
#define I219 E1000E, 1, INTEL_SLOW_RESET | INTEL_FLUSH

static const struct intel_id ids[] = {
    { 0x10d3, E1000E, 16, INTEL_NO_ASPM }, /* 82574L */
    { 0x10f6, E1000E, 16, INTEL_NO_ASPM }, /* 82574LA */
    { 0x153a, PCH },                       /* I217-LM */
    { 0x153b, PCH },                       /* I217-V */
    { 0x155a, PCH },                       /* I218-LM */
    { 0x1559, PCH },                       /* I218-V */
    { 0x15a0, PCH },                       /* I218-LM (2) */
    { 0x15a1, PCH },                       /* I218-V (2) */
    { 0x15a2, PCH },                       /* I218-LM (3) */
    { 0x15a3, PCH },                       /* I218-V (3) */
    { 0x156f, I219 },                      /* I219-LM */
    { 0x1570, I219 },                      /* I219-V */
    { 0x15b7, I219 },                      /* I219-LM (2) */
    { 0x15b8, I219 },                      /* I219-V (2) */
    { 0x15b9, I219 },                      /* I219-LM (3) */
    { 0x15d6, I219 },                      /* I219-V (5) */
    { 0x15d7, I219 },                      /* I219-LM (4) */
    { 0x15d8, I219 },                      /* I219-V (4) */
    { 0x15e3, I219 },                      /* I219-LM (5) */
    { 0x15bb, I219 },                      /* I219-LM (7) */
    { 0x15bc, I219 },                      /* I219-V (7) */
    { 0x15bd, I219 },                      /* I219-LM (6) */
    { 0x15be, I219 },                      /* I219-V (6) */
    { 0x0d4e, I219 },                      /* I219-LM (10) */
    { 0x0d4f, I219 },                      /* I219-V (10) */
    { 0x10c9, IGB, 16, 0 },                /* 82576 */
    { 0x10e6, IGB, 16, 0 },                /* 82576, fibre */
    { 0x1521, IGB, 16, 0 },                /* I350 */
    { 0x1522, IGB, 16, 0 },                /* I350, fibre */
    { 0x1533, IGB, 16, 0 },                /* I210 */
    { 0x157b, IGB, 16, 0 },                /* I210, without flash */
    { 0x1539, IGB, 16, 0 },                /* I211 */
};

/* Errors: CE, SE, SEQ, CXE, RXE (82574, 3.2.4.3). */
const struct intel_family intel_e1000e = {
    .rx_queue = 0x2800,
    .tx_queue = 0x3800,
    .tx_command = TX_EOP | TX_IFCS | TX_RS,
    .rx_status = 32,
    .rx_length = 0,
    .rx_errors = 0x97ull << 40,
    .tx_enable = DCTL_COUNT_DESC,
    .throttle_reg = ITR,
    .throttle = ITR_50US,
};

/* Errors: RXE, HBO (82576, 7.1.5.2). */
const struct intel_family intel_igb = {
    .rx_queue = 0xc000,
    .tx_queue = 0xe000,
    .tx_command = TX_EOP | TX_IFCS | TX_RS | TX_DEXT | TX_DATA,
    .tx_paylen = 1,
    .rx_status = 0,
    .rx_length = 32,
    .rx_errors = 0x80800000ull,
    .rx_setup = SRRCTL_2KIB | SRRCTL_ADVANCED,
    .rx_enable = DCTL_ENABLE,
    .tx_enable = DCTL_ENABLE,
    .throttle_reg = EITR0,
    .throttle = EITR0_50US,
    .mdic = MDIC_AUTONEGOTIATE,
    .ivar = IVAR0_BOTH,
};

const struct intel_id *intel_find(uint16_t device)
{
    unsigned int i;

    for ( i = 0; i < sizeof(ids) / sizeof(ids[0]); i++ )
        if ( ids[i].device == device )
            return &ids[i];

    return NULL;
}
