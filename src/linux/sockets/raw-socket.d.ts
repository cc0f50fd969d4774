// Types of raw-socket 1.8.1 (it has none of its own), as far as carpd uses it.
declare module 'raw-socket' {
  /** What a socket stands on. */
  interface SocketWrap {
    /**
     * Reads one packet into `buffer`, at once; throws an Error with the text of strerror, that of
     * EAGAIN where none waits. On a closed one it opens a new socket, which is bound to nothing.
     */
    recv(buffer: Buffer, callback: (buffer: Buffer, bytes: number, source: string) => void): this;
  }

  interface Socket {
    readonly wrap: SocketWrap;
    /** `buffer` is a view of memory that the next packet overwrites. */
    on(event: 'message', listener: (buffer: Buffer, source: string) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      /** Called right before sending; what it throws cancels this packet. */
      beforeCallback: () => void,
      afterCallback: (error: Error | null, bytes: number) => void,
    ): this;
    /** Writes the option's value into `value` and returns its length. */
    getOption(level: number, option: number, value: Buffer, length: number): number;
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
    pauseRecv(): this;
    close(): this;
  }

  interface SocketOptions {
    readonly protocol: number;
    readonly addressFamily?: number;
    /** Bytes of the one buffer every packet is read into; the rest of a longer one is lost. */
    readonly bufferSize?: number;
  }

  function createSocket(options: SocketOptions): Socket;
}
