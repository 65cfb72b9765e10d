/**
 * The archive that torch.save writes since PyTorch 1.6: a zip file of one folder, with the pickle `data.pkl` and the numbers
 * of each storage in `data/KEY`, none of them compressed. It may come from anyone.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Entry, ZipFile } from "yauzl";
import { type BoundedReader, boundedReader } from "./bounded-reader.js";
import { crc32 } from "./crc32.js";
import { yauzl } from "./yauzl.js";

/** In bytes; Node reads less than 2 GiB at a time. */
const LONGEST_READ = 2 ** 30;
/** More entries than any checkpoint has. */
const MOST_ENTRIES = 200_000;

/** An open archive, whose entries are known and checked, but not read yet. */
export class Archive implements AsyncDisposable {
  private constructor(
    readonly size: number,
    private readonly file: FileHandle,
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly bounded: BoundedReader,
  ) {}

  /**
   * Opens an archive and checks its list of entries.
   *
   * @throws Error that says what is wrong: no regular file, no zip file, or an entry that is compressed, encrypted, twice
   *   there, named to lie elsewhere, or larger than the file
   */
  static async open(path: string): Promise<Archive> {
    // Without O_NONBLOCK, opening a pipe would wait forever for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error("is no regular file");
      const bounded = boundedReader(file, stat.size);
      const options = { strictFileNames: true, autoClose: false };
      const opened = yauzl().fromRandomAccessReaderPromise(bounded.reader, stat.size, options);
      const zip = await bounded.guarded(opened);
      if (zip.entryCount > MOST_ENTRIES)
        throw new Error(`lists ${zip.entryCount} entries, but at most ${MOST_ENTRIES} are read`);
      const entries = await bounded.guarded(listEntries(zip, stat.size));
      return new Archive(stat.size, file, zip, entries, bounded);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The names of all entries. */
  get names(): string[] {
    return [...this.entries.keys()];
  }

  /** The bytes of an entry; undefined where there is none of this name. */
  sizeOf(name: string): number | undefined {
    return this.entries.get(name)?.uncompressedSize;
  }

  /**
   * Reads a whole entry.
   *
   * @throws Error when there is none of this name, or its content is not what its checksum was taken of
   */
  async read(name: string): Promise<Uint8Array> {
    const entry = this.entries.get(name);
    if (!entry) throw new Error(`has no entry ${JSON.stringify(name)}`);
    const header = this.zip.readLocalFileHeaderPromise(entry, { minimal: true });
    const { fileDataStart: start } = await this.bounded.guarded(header);
    const bytes = new Uint8Array(entry.uncompressedSize);
    for (let length = 0; length < bytes.length; ) {
      const piece = Math.min(bytes.length - length, LONGEST_READ);
      const { bytesRead } = await this.file.read(bytes, length, piece, start + length);
      if (bytesRead === 0) throw new Error(`ends within its entry ${name}`);
      length += bytesRead;
    }
    if (crc32(bytes) !== entry.crc32 >>> 0)
      throw new Error(`is damaged: its entry ${name} is not what was written, by its CRC-32`);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }
}

async function listEntries(zip: ZipFile, size: number): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    const { fileName: name } = entry;
    const refuse = (why: string) => new Error(`its entry ${JSON.stringify(name.slice(0, 200))} ${why}`);
    if (entries.has(name)) throw refuse("is there twice");
    if (entry.isEncrypted()) throw refuse("is encrypted");
    if (entry.compressionMethod !== 0) {
      throw refuse(
        `is compressed (${entry.compressedSize} bytes to ${entry.uncompressedSize}), as torch.save never does: unpacked it ` +
          "could have any size",
      );
    }
    total += entry.uncompressedSize;
    // Entries may overlap, so that a small file could stand for a large one.
    if (total > size) throw refuse(`and those before it have ${total} bytes, more than the file's ${size}`);
    entries.set(name, entry);
  }
  return entries;
}
