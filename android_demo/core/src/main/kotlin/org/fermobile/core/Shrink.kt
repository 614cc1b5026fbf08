package org.fermobile.core

import kotlin.math.max
import kotlin.math.round

/**
 * The image with its longest side at most [side] pixels; never enlarged.  Every new pixel is the
 * mean of the area it covers, as `fer_mobile/detect/scale.py` has it done by OpenCV.
 */
fun shrink(image: ArgbImage, side: Int): ArgbImage {
    val factor = side.toDouble() / max(image.width, image.height)
    if (factor >= 1) return image
    val width = max(1, round(image.width * factor).toInt())
    val height = max(1, round(image.height * factor).toInt())
    return meanOfAreas(image, width, height)
}

private fun meanOfAreas(image: ArgbImage, width: Int, height: Int): ArgbImage = TODO("next commit: $width $height $image")
