package org.fermobile.core

import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** How far a photo is turned clockwise. */
enum class Turn(val degrees: Int, private val exifOrientation: Int) {
    NONE(0, 1), QUARTER(90, 6), HALF(180, 3), THREE_QUARTERS(270, 8);

    /** The image so turned. */
    fun of(image: ArgbImage): ArgbImage = image.upright(exifOrientation)

    /** Where a part of a turned photo lies in the photo of [width]×[height] before it was turned. */
    fun back(region: Region, width: Int, height: Int): Region = region.stored(exifOrientation, width, height)

    /** A face of a turned photo, as it lies in the photo of [width]×[height] before it was turned. */
    fun back(face: Detection, width: Int, height: Int): Detection {
        fun back(point: Point) = when (this) {
            NONE -> point
            QUARTER -> Point(point.y, height - point.x)
            HALF -> Point(width - point.x, height - point.y)
            THREE_QUARTERS -> Point(width - point.y, point.x)
        }
        val one = back(Point(face.box.x, face.box.y))
        val other = back(Point(face.box.x + face.box.width, face.box.y + face.box.height))
        val left = min(one.x, other.x)
        val top = min(one.y, other.y)
        val box = Box(left, top, max(one.x, other.x) - left, max(one.y, other.y) - top)
        return Detection(box, face.score, face.landmarks.map(::back))
    }
}

/** A face of such a score is upright. */
const val SURE = 0.9f

/** A photo is turned for a face with a higher score. */
const val CERTAIN = 0.75f

/** Longest side, in pixels, of what is shown at other turns. */
const val GLANCE_SIDE = 96

/** Longest side from which on squares about hints show more than the whole photo at a glance. */
private const val LARGE = 4 * GLANCE_SIDE

/** Side of the square about a hint, over the longer side of its box. */
private const val REACH = 1.6

/**
 * How a photo must be turned, and its faces in pixels of the image so turned, by the rule of
 * `fer_mobile/detect/orientation.py`.
 */
fun findTurn(image: ArgbImage, detector: FaceDetector): Pair<Turn, List<Detection>> {
    val faces = detector.detect(image)
    if (surest(faces) >= SURE) return Turn.NONE to faces
    val hints = if (max(image.width, image.height) >= LARGE) detector.hints() else emptyList()
    val squares = hints.mapNotNull { squareAbout(it.box, image.width, image.height) }
    val views = (listOf(image) + squares.map(image::part)).map(::small)
    val (turn, score) = (Turn.entries - Turn.NONE)
        .map { turn -> turn to views.maxOf { surest(detector.detect(turn.of(it))) } }
        .maxBy { it.second }
    if (score <= CERTAIN) return Turn.NONE to faces
    val others = detector.detect(turn.of(image))
    return if (surest(others) > max(CERTAIN, surest(faces))) turn to others else Turn.NONE to faces
}

private fun surest(faces: List<Detection>): Float = faces.maxOfOrNull { it.score } ?: 0f

/** The square about a hint, as far as it lies in the image of [width]×[height]; null if nowhere. */
fun squareAbout(box: Box, width: Int, height: Int): Region? {
    val reach = REACH * max(box.width, box.height) / 2
    val columns = within(box.x + box.width / 2, reach, width)
    val rows = within(box.y + box.height / 2, reach, height)
    if (columns.isEmpty() || rows.isEmpty()) return null
    return Region(columns.first, rows.first, columns.count(), rows.count())
}

private fun within(centre: Double, reach: Double, length: Int): IntRange =
    floor(max(0.0, centre - reach)).toInt() until ceil(min(length.toDouble(), centre + reach)).toInt()

/** The image at [GLANCE_SIDE], halved first where it is large. */
private fun small(image: ArgbImage): ArgbImage {
    val width = image.width / 2 * 2
    val height = image.height / 2 * 2
    if (min(width, height) == 0 || max(width, height) < LARGE) return shrink(image, GLANCE_SIDE)
    return shrink(shrink(image.part(Region(0, 0, width, height)), max(width, height) / 2), GLANCE_SIDE)
}
