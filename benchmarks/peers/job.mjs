// What a JavaScript peer's worker is told and answers: the same as job.py.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const WARM_UP = 10;
const PHOTO_PASSES = 3;

/** Loads a package of the environment that this runs in (the working folder). */
export const fromEnvironment = createRequire(join(process.cwd(), "package.json"));

/** Pixels of a photo: { width, height, data } with RGB bytes. */
export async function decode(path) {
  const sharp = fromEnvironment("sharp");
  const image = sharp(path).rotate().removeAlpha().toColourspace("srgb").raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Serves a folder on this machine, for packages that fetch their weights; gives its address. */
export async function serve(folder) {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, decodeURIComponent(request.url))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

/** Milliseconds of processor time of this process so far (see job.py). */
function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Does the job named on the command line.
 * @param load makes the peer ready
 * @param classify (peer, bytes, side) gives the label of a gray face
 * @param analyse (peer, path) gives the label of every face of a photo
 */
export async function work(load, classify, analyse) {
  const job = JSON.parse(readFileSync(process.argv[2], "utf-8"));
  const peer = await load();
  await analyse(peer, job.first_photo);
  const coldStart = {
    wall_ms: Number(process.hrtime.bigint() - BigInt(job.started)) / 1e6,
    cpu_ms: processorMs(),
  };

  const bytes = readFileSync(job.faces);
  const size = job.side * job.side;
  const face = (n) => bytes.subarray(n * size, (n + 1) * size);
  for (let n = 0; n < WARM_UP; n++) await classify(peer, face(n), job.side);
  const labels = [];
  const faceMs = [];
  for (let n = 0; n < bytes.length / size; n++) {
    const start = processorMs();
    labels.push(await classify(peer, face(n), job.side));
    faceMs.push(processorMs() - start);
  }

  let photos = [];
  const photoMs = job.photos.map(() => []);
  for (let pass = 0; pass < PHOTO_PASSES; pass++) {
    photos = [];
    for (const [n, path] of job.photos.entries()) {
      const start = processorMs();
      photos.push(await analyse(peer, path));
      photoMs[n].push(processorMs() - start);
    }
  }
  const answer = {
    cold_start: coldStart,
    labels,
    face_ms: faceMs,
    photos,
    photo_ms: photoMs.map(median),
  };
  writeFileSync(job.answer, JSON.stringify(answer));
  process.exit(0);
}
