// The EtherTypes that carpd knows: what an Ethernet frame bears (IEEE 802 numbers of IANA).

/** Smaller values in the place of the type are the length of an IEEE 802.3 frame. */
export const ETHERTYPE_MIN = 0x0600;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** IEEE 802.1Q, the tag of a VLAN. */
export const ETHERTYPE_VLAN = 0x8100;
/** IEEE 802.1ad, the outer tag of two. */
export const ETHERTYPE_SERVICE_VLAN = 0x88a8;
/** Those of tags, behind which another EtherType follows. */
export const VLAN_TAG_TYPES: readonly number[] = [ETHERTYPE_VLAN, ETHERTYPE_SERVICE_VLAN];
/** IEEE 802.3 slow protocols, of which LACP is one. */
export const ETHERTYPE_SLOW_PROTOCOLS = 0x8809;
export const ETHERTYPE_LLDP = 0x88cc;
