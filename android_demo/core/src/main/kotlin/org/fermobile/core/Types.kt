package org.fermobile.core

import kotlin.math.atan2

/** The stages that every timing uses, in the order of tables. */
enum class Stage {
    DECODE, DETECT, RESIZE, GRAY, CLASSIFY, TOTAL;

    /** Its name in results: `decode`, `detect`, ... */
    val key: String = name.lowercase()
}

/** A rectangle in pixels of an upright photo; ([x], [y]) is its top left corner. It may leave the photo. */
data class Box(val x: Double, val y: Double, val width: Double, val height: Double) {
    /** The same rectangle in an image that is [factor] times as large. */
    fun scaled(factor: Double) = Box(x * factor, y * factor, width * factor, height * factor)
}

/** A point in pixels. */
data class Point(val x: Double, val y: Double) {
    /** The same point in an image that is [factor] times as large. */
    fun scaled(factor: Double) = Point(x * factor, y * factor)
}

/**
 * A face that a detector found.
 *
 * @property score confidence of the detector, 0 to 1.
 * @property landmarks the person's right eye, which is on the left of a picture that is not mirrored, then the
 *   left eye, nose, right and left corner of the mouth; or none.
 */
data class Detection(val box: Box, val score: Float, val landmarks: List<Point> = emptyList()) {
    /** From the person's right eye to the left one; null without landmarks, or with both eyes in one place. */
    val eyeLine: Point?
        get() {
            if (landmarks.size < 2) return null
            val line = Point(landmarks[1].x - landmarks[0].x, landmarks[1].y - landmarks[0].y)
            val squared = line.x * line.x + line.y * line.y
            return line.takeIf { squared > 0 && squared.isFinite() }
        }

    /** Degrees by which the line of the eyes is turned clockwise, -180 to 180; null where there is no [eyeLine]. */
    val tilt: Double? get() = eyeLine?.let { Math.toDegrees(atan2(it.y, it.x)) }

    /** The same face in an image that is [factor] times as large. */
    fun scaled(factor: Double) = Detection(box.scaled(factor), score, landmarks.map { it.scaled(factor) })
}

/**
 * A classified face of a photo.
 *
 * @property confidence probability of [label], 0 to 1.
 * @property probabilities of every label, in the model's order.
 * @property tilt degrees of the line of the eyes, see [Detection.tilt], in the photo turned by [PhotoResult.turn].
 * @property levelled whether the face was turned by its tilt before the model saw it.
 * @property quality how well the photo shows the face, 0 to 1, see [Quality]; null where it is unknown.
 * @property flaw what lowers [quality] most; null where nothing does.
 */
data class Face(
    val box: Box,
    val label: String,
    val confidence: Float,
    val probabilities: Map<String, Float>,
    val tilt: Double? = null,
    val levelled: Boolean = false,
    val quality: Double? = null,
    val flaw: Flaw? = null,
) {
    /** Whether it is too poor to be labelled; one whose quality is unknown is not. */
    fun isUnsure(minQuality: Double): Boolean = Quality.isPoor(quality, minQuality)
}

/**
 * What the pipeline says of one photo; one that failed has an [error] and no faces.
 *
 * @property label an expression, [MULTIPLE], [UNSURE] (see [relabelled]), or null where
 *   there is no face.
 * @property confidence probability of [label]; null for several faces and where there is no label.
 * @property faces the surest detection first, boxes in pixels of the upright photo at full resolution.
 * @property width of the upright photo at full resolution, 0 where the photo failed; so is [height].
 * @property stages milliseconds of the stages that the photo went through.
 * @property turn what brings its faces upright; boxes are those of the photo before it is turned.
 * @property tooLarge whether it failed because the phone's memory does not suffice for it.
 */
data class PhotoResult(
    val label: String? = null,
    val confidence: Float? = null,
    val faces: List<Face> = emptyList(),
    val error: String? = null,
    val width: Int = 0,
    val height: Int = 0,
    val stages: Map<Stage, Double> = emptyMap(),
    val turn: Turn = Turn.NONE,
    val tooLarge: Boolean = false,
) {
    /** The result with the label that a least quality gives: [UNSURE] where the only face is below it. */
    fun relabelled(minQuality: Double): PhotoResult {
        val face = faces.singleOrNull() ?: return this
        return if (face.isUnsure(minQuality)) {
            copy(label = UNSURE, confidence = null)
        } else {
            copy(label = face.label, confidence = face.confidence)
        }
    }

    companion object {
        /** The label of a photo that shows more than one face. */
        const val MULTIPLE = "multiple"

        /** The label of a photo whose face is too poor to be labelled (see [relabelled]). */
        const val UNSURE = "unsure"
    }
}
