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
    @Throws(PhotoException::class)
    fun load(minLongSide: Int): Photo

    /**
     * A part of the upright photo at full resolution, asked for where memory did not suffice for all of
     * it; null where parts cannot be read.
     */
    fun loadPart(part: Region): ArgbImage? = null
}

/** A photo that was decoded ahead, on another thread than the [Pipeline]'s: [decodeAhead] makes it. */
class DecodedPhoto internal constructor(
    internal val source: PhotoSource,
    internal val photo: Photo?,
    internal val error: PhotoException?,
    internal val milliseconds: Double,
)

/** Decodes a photo as a [Pipeline] would.  One that cannot be read gives a result with an error later. */
fun decodeAhead(source: PhotoSource, clock: () -> Long = System::nanoTime): DecodedPhoto {
    val start = clock()
    val (photo, error) = try {
        source.load(YuNet.DETECTION_SIDE) to null
    } catch (error: PhotoException) {
        null to error
    }
    return DecodedPhoto(source, photo, error, (clock() - start) / 1e6)
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
    fun run(source: PhotoSource, proceed: () -> Unit): PhotoResult = timed(Stopwatch(clock)) { watch ->
        analyse(source, watch.time(Stage.DECODE) { source.load(YuNet.DETECTION_SIDE) }, watch, proceed)
    }

    /** The same for a photo that is decoded; the time of decoding counts. */
    fun run(decoded: DecodedPhoto, proceed: () -> Unit = {}): PhotoResult {
        val watch = Stopwatch(clock).apply { add(Stage.DECODE, decoded.milliseconds) }
        watch.add(Stage.TOTAL, decoded.milliseconds)
        return timed(watch) {
            analyse(decoded.source, decoded.photo ?: throw checkNotNull(decoded.error), watch, proceed)
        }
    }

    private fun timed(watch: Stopwatch, work: (Stopwatch) -> PhotoResult): PhotoResult = try {
        watch.time(Stage.TOTAL) { work(watch) }.copy(stages = watch.milliseconds)
    } catch (error: PhotoException) {
        PhotoResult(error = error.message, stages = watch.milliseconds, tooLarge = error.tooLarge)
    } catch (error: OutOfMemoryError) { // of a bitmap's pixels, or of those that are turned
        val tooLarge = PhotoException(
            "the photo", expected = "one that can be analysed", found = "one too large for this phone", cause = error,
        )
        PhotoResult(error = tooLarge.message, stages = watch.milliseconds, tooLarge = true)
    }

    /** Faces of a photo that are known, with their expressions. */
    fun classify(photo: Photo, detections: List<Detection>): List<Face> =
        classify({ photo }, photo, Turn.NONE, detections, Stopwatch(clock))

    private fun analyse(source: PhotoSource, photo: Photo, watch: Stopwatch, proceed: () -> Unit): PhotoResult {
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
        val (turn, faces) = if (orient) findTurn(small, detector) else Turn.NONE to detector.detect(small)
        return turn to faces.map { it.scaled(toFull) }
    }

    private fun classify(
        source: PhotoSource, decoded: Photo, turn: Turn, detections: List<Detection>, watch: Stopwatch,
    ): List<Face> {
        val rule = classifier.contract.crop
        val directions = detections.map { classifier.contract.levelling?.direction(it) }
        val (photo, parts) = watch.time(Stage.DECODE) {
            val photo = withPixelsFor(source, decoded, detections)
            photo to detections.zip(directions) { face, direction -> partOf(source, photo, turn, face, direction) }
        }
        val upright = turn.of(photo.image)
        val grays = watch.time(Stage.GRAY) {
            detections.indices.map {
                val part = parts[it]
                if (part != null) {
                    Preprocess.cropGray(part.image, part.square)
                } else {
                    Preprocess.cropGray(upright, rule.square(detections[it].box.scaled(photo.scale), directions[it]))
                }
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
        val needed = detections.maxOf(::scaleFor)
        return if (photo.scale >= needed) photo else source.load(longSide(photo, needed))
    }

    /** The scale at which a face has as many pixels as the model's input. */
    private fun scaleFor(face: Detection): Double =
        min(1.0, classifier.size.toDouble() / classifier.contract.crop.square(face.box).side)

    private fun longSide(photo: Photo, scale: Double) = ceil(scale * maxOf(photo.width, photo.height)).toInt()

    /** A part of the turned photo at full resolution, and the square of a face in it. */
    private class Part(val image: ArgbImage, val square: Square)

    /** What a face needs of a photo that was decoded smaller than asked for; null where it was not. */
    private fun partOf(source: PhotoSource, photo: Photo, turn: Turn, face: Detection, direction: Direction?): Part? {
        val needed = scaleFor(face)
        val enough = maxOf(photo.image.width, photo.image.height) >= longSide(photo, needed)
        if (enough || photo.scale >= needed) return null
        val square = classifier.contract.crop.square(face.box, direction)
        val lies = turn == Turn.QUARTER || turn == Turn.THREE_QUARTERS
        val region = square.within(if (lies) photo.height else photo.width, if (lies) photo.width else photo.height)
        val image = region?.let { source.loadPart(turn.back(it, photo.width, photo.height)) } ?: return null
        return Part(turn.of(image), square.copy(left = square.left - region.left, top = square.top - region.top))
    }

    override fun close() {
        classifier.close()
        detector.close()
    }
}

/** Adds up the milliseconds of stages. */
private class Stopwatch(private val clock: () -> Long) {
    val milliseconds = LinkedHashMap<Stage, Double>()

    fun add(stage: Stage, more: Double) {
        milliseconds[stage] = (milliseconds[stage] ?: 0.0) + more
    }

    fun <T> time(stage: Stage, block: () -> T): T {
        val start = clock()
        try {
            return block()
        } finally {
            add(stage, (clock() - start) / 1e6)
        }
    }
}
