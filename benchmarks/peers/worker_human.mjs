// @vladmandic/human on WebAssembly: BlazeFace, face mesh and its emotion network.
import { dirname, join } from "node:path";
import { decode, fromEnvironment, serve, work } from "./job.mjs";

const ORDER = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"];
const NAMES = {
  angry: "anger",
  disgust: "disgust",
  fear: "fear",
  happy: "happiness",
  sad: "sadness",
  surprise: "surprise",
  neutral: "neutral",
};

async function load() {
  // By its place: the package does not export this build.
  const home = join(process.cwd(), "node_modules/@vladmandic/human/dist/human.node-wasm.js");
  const { Human } = fromEnvironment(home);
  const off = { enabled: false };
  const human = new Human({
    backend: "wasm",
    wasmPath: dirname(fromEnvironment.resolve("@tensorflow/tfjs-backend-wasm")) + "/",
    modelBasePath: await serve(join(dirname(home), "..", "models")),
    debug: false,
    cacheSensitivity: 0,
    skipAllowed: false,
    filter: off,
    gesture: off,
    body: off,
    hand: off,
    object: off,
    segmentation: off,
    face: {
      detector: { maxDetected: 20 },
      iris: off,
      description: off,
      antispoof: off,
      liveness: off,
      emotion: { minConfidence: 0 },
    },
  });
  await human.load();
  return human;
}

// Its emotion network alone, with what its source does before: 64 px, gray, -1 to 1.
async function classify(human, bytes, side) {
  const { tf } = human;
  const scores = tf.tidy(() => {
    const face = tf.div(tf.tensor4d(bytes, [1, side, side, 1], "float32"), 255);
    const resized = tf.image.resizeBilinear(face, [64, 64], false);
    return human.models.models.emotion.execute(tf.mul(tf.sub(resized, 0.5), 2));
  });
  const data = await scores.data();
  scores.dispose();
  return ORDER[data.indexOf(Math.max(...data))];
}

async function analyse(human, path) {
  const { width, height, data } = await decode(path);
  const image = human.tf.tensor(data, [height, width, 3], "int32");
  const found = await human.detect(image);
  human.tf.dispose(image);
  return found.face.map((face) => NAMES[face.emotion?.[0]?.emotion] ?? null);
}

await work(load, classify, analyse);
