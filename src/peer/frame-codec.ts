/**
 * muxrpc's frames, as packet-stream-codec has them, but for how UTF-8 becomes text: a message full of a block's data is
 * made of characters of three bytes, and Buffer's `toString` takes ten times as long for them as `transcode`.
 */
import { isAscii, transcode } from 'node:buffer';
import type { PullDuplex, PullSource } from './ssb/types.ts';

/** A frame as packet-stream has it; a call's number is above 0 on the side that called, below on the other. */
export interface Packet {
  readonly req: number;
  readonly stream: boolean;
  readonly end: boolean;
}

type Wire = { readonly source: PullSource<Buffer>; readonly sink: (read: PullSource<Buffer>) => void };
/** What muxrpc takes to make bytes of packets and packets of bytes. */
export type Codec = (packets: PullDuplex, debug?: unknown) => Wire;

interface Head extends Packet {
  readonly length: number;
  readonly type: number;
}

/** The slice of packet-stream-codec that is used here. */
export interface CodecLibrary {
  encode(debug: null): (packets: PullSource<unknown>) => PullSource<Buffer>;
  decodeHead(bytes: Buffer): Head & { value: unknown };
}

/** pull-reader: bytes by their number. */
interface Reader {
  (read: PullSource<Buffer>): void;
  read(length: number, callback: (end: Error | boolean | null, bytes: Buffer) => void): void;
  abort(reason: Error | boolean, callback: (end: Error | boolean | null) => void): void;
}

const HEAD_BYTES = 9;
const [BYTES, TEXT, JSON_TEXT] = [0, 1, 2];
/** What packet-stream takes for the last frame, which has no body. */
const GOODBYE = 'GOODBYE';

export function frameCodec(library: CodecLibrary, createReader: () => Reader): Codec {
  const decode = (read: PullSource<Buffer>): PullSource<unknown> => {
    const reader = createReader();
    let isOver = false;
    reader(read);
    return (abort, callback) => {
      if (isOver) return callback(true);
      if (abort) return reader.abort(abort, callback);
      reader.read(HEAD_BYTES, (headEnd, headBytes) => {
        if (headEnd) return callback(headEnd);
        const packet = library.decodeHead(headBytes);
        if (packet.length === 0) {
          isOver = true;
          return callback(null, GOODBYE);
        }
        reader.read(packet.length, (bodyEnd, body) => {
          if (bodyEnd) return callback(bodyEnd);
          try {
            packet.value = bodyOf(packet.type, body);
          } catch (error) {
            return callback(error as Error);
          }
          callback(null, packet);
        });
      });
    };
  };
  return (packets) => ({
    source: library.encode(null)(packets.source),
    sink: (read) => packets.sink(decode(read)),
  });
}

function bodyOf(type: number, body: Buffer): unknown {
  if (type === BYTES) return body;
  if (type === TEXT) return textOf(body);
  if (type === JSON_TEXT) return JSON.parse(textOf(body));
  throw new Error('unknown message type');
}

/** `bytes.toString()`, faster where most of it is not ASCII. */
export function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  try {
    return transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
  } catch {
    return bytes.toString(); // what is not UTF-8 has U+FFFD in its place
  }
}
