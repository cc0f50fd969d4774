// Frames that switches send to their neighbours, built from their fields.
const FROM = [0x02, 0, 0, 0, 0xee, 0x01];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const word = (value: number): number[] => [value >>> 8, value & 0xff];

function frame(to: readonly number[], type: number, body: readonly number[]): Uint8Array {
  const bytes = [...to, ...FROM, ...word(type), ...body];
  return Uint8Array.from([...bytes, ...Array<number>(Math.max(0, 60 - bytes.length)).fill(0)]);
}

function llc(to: readonly number[], body: readonly number[]): Uint8Array {
  return frame(to, body.length, body);
}

export interface LldpFields {
  readonly system?: string;
  readonly port: string;
  readonly portName?: string;
  readonly vlan?: number;
  /** Status byte of the link aggregation TLV of 802.3. */
  readonly aggregation?: number;
}

/** LLDP with a chassis by MAC address and a port by its interface name. */
export function lldp(fields: LldpFields): Uint8Array {
  const tlv = (type: number, value: readonly number[]): number[] => [
    ...word((type << 9) | value.length),
    ...value,
  ];
  const { system, port, portName, vlan, aggregation } = fields;
  return frame(
    [1, 0x80, 0xc2, 0, 0, 0x0e],
    0x88cc,
    [
      tlv(1, [4, ...FROM]),
      tlv(2, [5, ...ascii(port)]),
      tlv(3, word(120)),
      portName === undefined ? [] : tlv(4, ascii(portName)),
      system === undefined ? [] : tlv(5, ascii(system)),
      vlan === undefined ? [] : tlv(127, [0, 0x80, 0xc2, 1, ...word(vlan)]),
      aggregation === undefined ? [] : tlv(127, [0, 0x12, 0x0f, 3, aggregation, 0, 0, 0, 0]),
      tlv(0, []),
    ].flat(),
  );
}

/** CDP version 2. */
export function cdp(device: string, port: string): Uint8Array {
  const field = (type: number, text: string): number[] => [
    ...word(type),
    ...word(4 + text.length),
    ...ascii(text),
  ];
  const head = [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2, 180, 0, 0];
  return llc([1, 0, 0x0c, 0xcc, 0xcc, 0xcc], [...head, ...field(1, device), ...field(3, port)]);
}

/** A configuration BPDU, rapid with `flags`, as it is or as PVST+ wraps it. */
export function bpdu({ flags, pvst = false }: { flags?: number; pvst?: boolean } = {}): Uint8Array {
  const version = flags === undefined ? [0, 0, 0] : [2, 2, flags];
  const root = [0x80, 0, 2, 0, 0, 0, 0, 1];
  const bridge = [0x80, 1, 2, 0, 0, 0, 0, 2];
  const times = [...[0, 0], ...word(20 * 256), ...word(2 * 256), ...word(15 * 256)];
  const body = [0, 0, ...version, ...root, 0, 0, 0, 4, ...bridge, 0x80, 7, ...times];
  return pvst
    ? llc([1, 0, 0x0c, 0xcc, 0xcc, 0xcd], [0xaa, 0xaa, 3, 0, 0, 0x0c, 1, 0x0b, ...body])
    : llc([1, 0x80, 0xc2, 0, 0, 0], [0x42, 0x42, 3, ...body]);
}

/** An LACPDU whose actor says this of its port. */
export function lacpdu(state: number): Uint8Array {
  const actor = [1, 20, 0x80, 0, ...FROM, 0, 9, 0x80, 0, 0, 1, state, 0, 0, 0];
  return frame([1, 0x80, 0xc2, 0, 0, 2], 0x8809, [1, 1, ...actor, ...Array<number>(90).fill(0)]);
}
