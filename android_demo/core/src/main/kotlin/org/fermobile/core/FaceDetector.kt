package org.fermobile.core

import kotlin.math.hypot

/**
 * Finds faces; [YuNet] is the one that the models were framed with.  One object serves one thread at
 * a time.
 */
interface FaceDetector : AutoCloseable {
    /** Changes whenever what it finds may: a checksum or a version. */
    val identity: String

    /**
     * The faces of an upright image, the surest first, in its pixels.
     *
     * The image has at most 640 pixels on its longest side.  With [Pipeline.orient], an image without a
     * score of [SURE] is shown again, small and at other turns: up to five calls a photo, and three more
     * for each of its [hints].  A detector without scores gives 1, or is used without [Pipeline.orient].
     *
     * Boxes have to be as YuNet draws them, from the forehead to the chin; [boxOf] makes one from
     * landmarks.  Landmarks have to be in the order of [Detection.landmarks], or the face is
     * levelled upside down.
     */
    fun detect(image: ArgbImage): List<Detection>

    /**
     * The likeliest places of a face in the image that [detect] was given last, the surest first; places
     * that it is not sure of count, as faces that are not upright look so.  A detector may know none.
     */
    fun hints(): List<Detection> = emptyList()
}

/** Height of YuNet's box over the distance from the eyes to the mouth: 2.9 ± 0.14 for 79 faces. */
private const val HEIGHT = 2.9

/** Its width over that distance. */
private const val WIDTH = 2.2

/** Where its centre lies on the way from the eyes to the mouth: 0.33 ± 0.06. */
private const val CENTRE = 0.33

/**
 * The box that YuNet would draw around a face, so that other detectors frame alike.
 *
 * @param landmarks five, in the order of [Detection.landmarks], in pixels.
 */
fun boxOf(landmarks: List<Point>): Box {
    require(landmarks.size == 5) { "expected 5 landmarks, got ${landmarks.size}" }
    val eyes = middle(landmarks[0], landmarks[1])
    val mouth = middle(landmarks[3], landmarks[4])
    val distance = hypot(mouth.x - eyes.x, mouth.y - eyes.y)
    val x = eyes.x + CENTRE * (mouth.x - eyes.x)
    val y = eyes.y + CENTRE * (mouth.y - eyes.y)
    return Box(x - WIDTH * distance / 2, y - HEIGHT * distance / 2, WIDTH * distance, HEIGHT * distance)
}

private fun middle(one: Point, other: Point) = Point((one.x + other.x) / 2, (one.y + other.y) / 2)
