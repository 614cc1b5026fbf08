package org.fermobile.core

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
        val left = minOf(one.x, other.x)
        val top = minOf(one.y, other.y)
        val box = Box(left, top, maxOf(one.x, other.x) - left, maxOf(one.y, other.y) - top)
        return Detection(box, face.score, face.landmarks.map(::back))
    }
}

/** A face of such a score is upright. */
const val SURE = 0.9f

/** Least score of the face for which a photo is turned. */
const val CERTAIN = 0.75f

/** Longest side, in pixels, at which other turns are searched. */
const val GLANCE_SIDE = 192

/**
 * How a photo must be turned, and its faces in pixels of the image so turned, by the rule of
 * `fer_mobile/detect/orientation.py`.
 */
fun findTurn(image: ArgbImage, detect: (ArgbImage) -> List<Detection>): Pair<Turn, List<Detection>> {
    val faces = detect(image)
    if (surest(faces) >= SURE) return Turn.NONE to faces
    val small = shrink(image, GLANCE_SIDE)
    val (turn, score) = (Turn.entries - Turn.NONE).map { it to surest(detect(it.of(small))) }.maxBy { it.second }
    if (score == 0f) return Turn.NONE to faces
    val others = detect(turn.of(image))
    return if (surest(others) > maxOf(CERTAIN, surest(faces))) turn to others else Turn.NONE to faces
}

private fun surest(faces: List<Detection>): Float = faces.maxOfOrNull { it.score } ?: 0f
