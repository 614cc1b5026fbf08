package org.fermobile.core

import kotlin.math.ceil
import kotlin.math.min

/** Where a photo's pixels come from. */
fun interface PhotoSource {
    /**
     * The photo with at least [minLongSide] pixels on its longest side, or all that it has.  Fewer
     * pixels are quicker to decode; a decoder that can only halve gives the next size above.
     *
     * @throws PhotoException for a photo that cannot be read.
     */
    fun load(minLongSide: Int): Photo
}

/**
 * Decode → detect → crop, gray, resize → classify, as `fer_mobile/pipeline.py`.  One object
 * serves one thread at a time.
 *
 * @param clock nanoseconds since any moment, by which stages are timed.
 * @property orient whether photos are turned where no upright face is surely found.
 */
class Pipeline(
    val classifier: Classifier,
    val detector: FaceDetector,
    private val clock: () -> Long = System::nanoTime,
    val orient: Boolean = true,
) : AutoCloseable {
    /** Changes whenever the answer for a photo may; results of another identity are stale. */
    val identity: String
        get() = "${classifier.file.sha256} preprocessing ${Preprocess.VERSION} quality ${Quality.VERSION} " +
            "detector ${detector.identity}" + if (orient) " orient auto" else " orient none"

    /**
     * The faces of a photo with their expressions, and the photo's label.  Decoding is timed too;
     * a photo that cannot be read gives a result with an error.
     */
    fun run(source: PhotoSource): PhotoResult = run(source) {}

    /** The same; [proceed] is called between stages, and what it throws ends the run. */
    fun run(source: PhotoSource, proceed: () -> Unit): PhotoResult {
        val watch = Stopwatch(clock)
        return try {
            watch.time(Stage.TOTAL) { analyse(source, watch, proceed) }.copy(stages = watch.milliseconds)
        } catch (error: PhotoException) {
            PhotoResult(error = error.message, stages = watch.milliseconds)
        }
    }

    /** Faces of a photo that are known, with their expressions. */
    fun classify(photo: Photo, detections: List<Detection>): List<Face> =
        classify({ photo }, photo, Turn.NONE, detections, Stopwatch(clock))

    private fun analyse(source: PhotoSource, watch: Stopwatch, proceed: () -> Unit): PhotoResult {
        val photo = watch.time(Stage.DECODE) { source.load(YuNet.DETECTION_SIDE) }
        proceed()
        val (turn, detections) = watch.time(Stage.DETECT) { detect(photo) }
        proceed()
        val faces = if (detections.isEmpty()) emptyList() else classify(source, photo, turn, detections, watch)
        val single = faces.singleOrNull()
        return PhotoResult(
            label = single?.label ?: PhotoResult.MULTIPLE.takeIf { faces.isNotEmpty() },
            confidence = single?.confidence,
            faces = faces,
            width = photo.width,
            height = photo.height,
            turn = turn,
        )
    }

    /** How the photo is to be turned, and its faces in pixels of the photo so turned. */
    private fun detect(photo: Photo): Pair<Turn, List<Detection>> {
        val small = shrink(photo.image, YuNet.DETECTION_SIDE)
        val toFull = maxOf(photo.width, photo.height).toDouble() / maxOf(small.width, small.height)
        val (turn, faces) = if (orient) findTurn(small, detector::detect) else Turn.NONE to detector.detect(small)
        return turn to faces.map { it.scaled(toFull) }
    }

    private fun classify(
        source: PhotoSource, decoded: Photo, turn: Turn, detections: List<Detection>, watch: Stopwatch,
    ): List<Face> {
        val rule = classifier.contract.crop
        val photo = watch.time(Stage.DECODE) { withPixelsFor(source, decoded, detections) }
        val upright = turn.of(photo.image)
        val directions = detections.map { classifier.contract.levelling?.direction(it) }
        val grays = watch.time(Stage.GRAY) {
            detections.zip(directions) { face, direction ->
                Preprocess.cropGray(upright, rule.square(face.box.scaled(photo.scale), direction))
            }
        }
        fun resized(size: Int) = grays.zip(directions) { gray, direction -> Preprocess.resizeFace(gray, size, direction) }
        val (inputs, qualities) = watch.time(Stage.RESIZE) {
            val inputs = resized(classifier.size)
            val shown = if (classifier.size == Quality.SIDE) inputs else resized(Quality.SIDE)
            inputs to detections.indices.map { Quality.of(shown[it], detections[it], directions[it] != null) }
        }
        val outputs = watch.time(Stage.CLASSIFY) { inputs.map(classifier::classify) }
        return detections.indices.map { index ->
            val byLabel = classifier.labels.zip(outputs[index].asList()).toMap(LinkedHashMap())
            val surest = byLabel.maxBy { it.value }
            val detection = detections[index]
            val (quality, flaw) = qualities[index]
            Face(
                turn.back(detection, photo.width, photo.height).box, surest.key, surest.value, byLabel,
                detection.tilt, directions[index] != null, quality, flaw,
            )
        }
    }

    /** The photo, decoded again where its reduction would have a face enlarged. */
    private fun withPixelsFor(source: PhotoSource, photo: Photo, detections: List<Detection>): Photo {
        val smallest = detections.minOf { classifier.contract.crop.square(it.box).side }
        val needed = min(1.0, classifier.size.toDouble() / smallest)
        if (photo.scale >= needed) return photo
        return source.load(ceil(needed * maxOf(photo.width, photo.height)).toInt())
    }

    override fun close() {
        classifier.close()
        detector.close()
    }
}

/** Adds up the milliseconds of stages. */
private class Stopwatch(private val clock: () -> Long) {
    val milliseconds = LinkedHashMap<Stage, Double>()

    fun <T> time(stage: Stage, block: () -> T): T {
        val start = clock()
        try {
            return block()
        } finally {
            milliseconds[stage] = (milliseconds[stage] ?: 0.0) + (clock() - start) / 1e6
        }
    }
}
