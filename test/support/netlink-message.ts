// Netlink messages written by hand, in the byte order of the machine.

export function u16(value: number): number[] {
  return [...new Uint8Array(Uint16Array.of(value).buffer)];
}

export function u32(value: number): number[] {
  return [...new Uint8Array(Uint32Array.of(value).buffer)];
}

export function attribute(type: number, data: readonly number[]): number[] {
  const padding = new Array<number>((4 - (data.length % 4)) % 4).fill(0);
  return [...u16(data.length + 4), ...u16(type), ...data, ...padding];
}

export function text(value: string): number[] {
  return [...new TextEncoder().encode(value), 0];
}

export function message(type: number, body: readonly number[], flags = 0, sequence = 0): number[] {
  return [
    ...u32(16 + body.length),
    ...u16(type),
    ...u16(flags),
    ...u32(sequence),
    ...u32(0),
    ...body,
  ];
}
