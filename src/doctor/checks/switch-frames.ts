// What a switch says of itself on a port: LLDP (IEEE 802.1AB), CDP, spanning tree (IEEE 802.1D and
// 802.1Q, PVST+) and LACP (IEEE 802.1AX). Any bytes are read; what makes no sense is left out.
// Pure.
import { readMac } from '../../base/addresses.ts';
import { ETHERTYPE_LLDP, ETHERTYPE_SLOW_PROTOCOLS, VLAN_TAG_TYPES } from '../../base/ethertypes.ts';

export interface SwitchName {
  /** Of the switch, or its address where it has no name. */
  readonly system: string;
  readonly port: string;
}

export type SwitchFrame =
  | (SwitchName & {
      readonly kind: 'lldp';
      readonly vlan: number | undefined;
      /** Whether the port is part of an aggregation; undefined: it does not say. */
      readonly aggregated: boolean | undefined;
    })
  | (SwitchName & { readonly kind: 'cdp' })
  | {
      readonly kind: 'bpdu';
      /** PRIORITY.MAC of the bridge, as text. */
      readonly bridge: string;
      readonly port: string;
      readonly forwardDelayS: number;
      /** Undefined: plain STP does not say. */
      readonly forwarding: boolean | undefined;
    }
  | {
      readonly kind: 'lacp';
      readonly system: string;
      /** Bits of the port state of who sends it. */
      readonly state: number;
    };

const HEADER_BYTES = 14;
const LENGTH_MAX = 1500;
const SNAP = [0xaa, 0xaa, 0x03];
const CDP = '00000c2000';
const PVST = '00000c010b';

/** Reads a frame from its destination address on; undefined: it is none of a switch. */
export function readSwitchFrame(frame: Uint8Array): SwitchFrame | undefined {
  let [type, at] = [word(frame, 12), HEADER_BYTES];
  while (VLAN_TAG_TYPES.includes(type) && at + 4 <= frame.length) {
    type = word(frame, at + 2);
    at += 4;
  }
  const body = frame.subarray(at);
  if (type === ETHERTYPE_LLDP) return readLldp(body);
  if (type === ETHERTYPE_SLOW_PROTOCOLS) return readLacp(body);
  if (type > LENGTH_MAX || frame.length < HEADER_BYTES) return undefined;
  if (body[0] === 0x42 && body[1] === 0x42 && body[2] === 0x03) return readBpdu(body.subarray(3));
  if (!SNAP.every((byte, index) => body[index] === byte)) return undefined;
  const protocol = hex(body.subarray(3, 8));
  if (protocol === CDP) return readCdp(body.subarray(8));
  return protocol === PVST ? readBpdu(body.subarray(8)) : undefined;
}

const TLV = { end: 0, chassis: 1, port: 2, portName: 4, systemName: 5, ofOrganization: 127 };
const MAC_SUBTYPES = { chassis: 4, port: 3 };

function readLldp(body: Uint8Array): SwitchFrame | undefined {
  let [system, port, portName]: (string | undefined)[] = [];
  let vlan: number | undefined;
  let aggregated: boolean | undefined;
  let chassis: string | undefined;
  for (let at = 0; at + 2 <= body.length;) {
    const header = word(body, at);
    const [type, length] = [header >>> 9, header & 0x1ff];
    const value = body.subarray(at + 2, at + 2 + length);
    if (type === TLV.end || value.length < length) break;
    if (type === TLV.chassis) chassis = idOf(value, MAC_SUBTYPES.chassis);
    if (type === TLV.port) port = idOf(value, MAC_SUBTYPES.port);
    if (type === TLV.portName) portName = text(value);
    if (type === TLV.systemName) system = text(value);
    if (type === TLV.ofOrganization) {
      const organization = hex(value.subarray(0, 4));
      if (organization === PORT_VLAN && length >= 6) vlan = word(value, 4);
      if (AGGREGATION.includes(organization) && length >= 5) {
        aggregated = ((value[4] ?? 0) & AGGREGATION_ENABLED) !== 0;
      }
    }
    at += 2 + length;
  }
  const name = system ?? chassis;
  if (name === undefined || port === undefined) return undefined;
  const described = portName === undefined || portName === port ? port : `${port} (${portName})`;
  return { kind: 'lldp', system: name, port: described, vlan, aggregated };
}

/** Organizations and their subtypes: 802.1 port VLAN ID; link aggregation of 802.1 and of 802.3. */
const PORT_VLAN = '0080c201';
const AGGREGATION = ['0080c207', '00120f03'];
const AGGREGATION_ENABLED = 0x02;

/** The text after the subtype, or a MAC address. */
function idOf(value: Uint8Array, macSubtype: number): string {
  const id = value.subarray(1);
  return value[0] === macSubtype && id.length === 6 ? readMac(id, 0) : text(id);
}

const CDP_DEVICE = 1;
const CDP_PORT = 3;

function readCdp(body: Uint8Array): SwitchFrame | undefined {
  let [system, port]: (string | undefined)[] = [];
  // Version, time to live and checksum come first.
  for (let at = 4; at + 4 <= body.length;) {
    const [type, length] = [word(body, at), word(body, at + 2)];
    if (length < 4 || at + length > body.length) break;
    const value = body.subarray(at + 4, at + length);
    if (type === CDP_DEVICE) system = text(value);
    if (type === CDP_PORT) port = text(value);
    at += length;
  }
  if (system === undefined || port === undefined) return undefined;
  return { kind: 'cdp', system, port };
}

const RAPID_VERSION = 2;
const BPDU_BYTES = 35;
const FORWARDING = 0x20;

/** From the protocol identifier on; a notification of a change of topology has no more to say. */
function readBpdu(body: Uint8Array): SwitchFrame | undefined {
  if (body.length < BPDU_BYTES || word(body, 0) !== 0) return undefined;
  const [version = 0, , flags = 0] = body.subarray(2);
  return {
    kind: 'bpdu',
    bridge: `${String(word(body, 17))}.${readMac(body, 19)}`,
    port: hex(body.subarray(25, 27)),
    forwardDelayS: word(body, 33) / 256,
    forwarding: version >= RAPID_VERSION ? (flags & FORWARDING) !== 0 : undefined,
  };
}

const LACP_SUBTYPE = 1;
const ACTOR_TLV = 1;

function readLacp(body: Uint8Array): SwitchFrame | undefined {
  if (body.length < 20 || body[0] !== LACP_SUBTYPE || body[2] !== ACTOR_TLV) return undefined;
  return { kind: 'lacp', system: readMac(body, 6), state: body[18] ?? 0 };
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a terminal can show of it, and no more than fits a line. */
function text(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, 64), (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  return shown.join('').trim();
}
