package org.fermobile.core

/**
 * Decode → detect → crop, gray, resize → classify, as `fer_mobile/pipeline.py`.  One object
 * serves one thread at a time.
 */
class Pipeline(val classifier: Classifier, val detector: YuNet) : AutoCloseable {
    /** Changes whenever the answer for a photo may; results of another identity are stale. */
    val identity: String
        get() = "${classifier.file.sha256} preprocessing ${Preprocess.VERSION}"

    /**
     * The faces of the photo that [decode] gives, with their expressions, and the photo's label.
     * [decode] is timed too; the [PhotoException] that it may throw becomes the result's error.
     *
     * A photo decoded at a part of its size should keep [YuNet.DETECTION_SIDE] on its longest side.
     */
    fun run(decode: () -> Photo): PhotoResult {
        val watch = Stopwatch()
        return try {
            val (photo, faces) = watch.time(Stage.TOTAL) {
                val photo = watch.time(Stage.DECODE, decode)
                photo to faces(photo, watch)
            }
            val single = faces.singleOrNull()
            PhotoResult(
                label = single?.label ?: Expressions.MULTIPLE.takeIf { faces.isNotEmpty() },
                confidence = single?.confidence,
                faces = faces,
                width = photo.width,
                height = photo.height,
                stages = watch.milliseconds,
            )
        } catch (error: PhotoException) {
            PhotoResult(error = error.message, stages = watch.milliseconds)
        }
    }

    private fun faces(photo: Photo, watch: Stopwatch): List<Face> {
        val (toFull, detections) = watch.time(Stage.DETECT) {
            val small = shrink(photo.image, YuNet.DETECTION_SIDE)
            val toFull = maxOf(photo.width, photo.height).toDouble() / maxOf(small.width, small.height)
            toFull to detector.detect(small)
        }
        if (detections.isEmpty()) return emptyList()
        val rule = classifier.contract.crop
        val toImage = toFull * photo.scale
        val grays = watch.time(Stage.GRAY) {
            detections.map { Preprocess.cropGray(photo.image, rule.square(it.box.scaled(toImage))) }
        }
        val inputs = watch.time(Stage.RESIZE) { grays.map { Preprocess.resize(it, classifier.size) } }
        val outputs = watch.time(Stage.CLASSIFY) { inputs.map(classifier::classify) }
        return detections.zip(outputs) { detection, probabilities ->
            val byLabel = classifier.labels.zip(probabilities.asList()).toMap(LinkedHashMap())
            val surest = byLabel.maxBy { it.value }
            Face(detection.box.scaled(toFull), surest.key, surest.value, byLabel)
        }
    }

    override fun close() {
        classifier.close()
        detector.close()
    }
}

private class Stopwatch {
    val milliseconds = LinkedHashMap<Stage, Double>()

    inline fun <T> time(stage: Stage, block: () -> T): T {
        val start = System.nanoTime()
        try {
            return block()
        } finally {
            milliseconds[stage] = (System.nanoTime() - start) / 1e6
        }
    }
}
