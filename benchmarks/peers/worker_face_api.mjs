// @vladmandic/face-api on WebAssembly: SSD-MobileNet detector and its expression network.
import { dirname, join } from "node:path";
import { decode, fromEnvironment, work } from "./job.mjs";

const NAMES = {
  neutral: "neutral",
  happy: "happiness",
  sad: "sadness",
  angry: "anger",
  fearful: "fear",
  disgusted: "disgust",
  surprised: "surprise",
};

const best = (expressions) => NAMES[expressions.asSortedArray()[0].expression];

async function load() {
  const wasm = fromEnvironment("@tensorflow/tfjs-backend-wasm");
  const main = fromEnvironment.resolve("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(dirname(main) + "/");
  const tf = fromEnvironment("@tensorflow/tfjs");
  await tf.setBackend("wasm");
  await tf.ready();
  const home = "@vladmandic/face-api/dist/face-api.node-wasm.js";
  const faceapi = fromEnvironment(home);
  const models = join(dirname(fromEnvironment.resolve(home)), "..", "model");
  await faceapi.nets.ssdMobilenetv1.loadFromDisk(models);
  await faceapi.nets.faceExpressionNet.loadFromDisk(models);
  return { faceapi, tf };
}

async function classify({ faceapi, tf }, bytes, side) {
  const image = tf.tidy(() => tf.tile(tf.tensor3d(bytes, [side, side, 1], "int32"), [1, 1, 3]));
  const found = await faceapi.nets.faceExpressionNet.predictExpressions(image);
  image.dispose();
  return best(found);
}

async function analyse({ faceapi, tf }, path) {
  const { width, height, data } = await decode(path);
  const image = tf.tensor3d(data, [height, width, 3], "int32");
  const found = await faceapi.detectAllFaces(image).withFaceExpressions();
  image.dispose();
  return found.map((face) => best(face.expressions));
}

await work(load, classify, analyse);
