package org.fermobile.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Test

class ImagesTest {
    /** ABC over DEF. */
    private val image = ArgbImage(3, 2, "ABCDEF".map { it.code or (255 shl 24) }.toIntArray())

    private fun ArgbImage.rows() = pixels.map { (it and 255).toChar() }.chunked(width) { it.joinToString("") }

    @Test
    fun everyOrientationIsTurnedUpright() {
        val upright = mapOf(
            1 to listOf("ABC", "DEF"), 2 to listOf("CBA", "FED"), 3 to listOf("FED", "CBA"), 4 to listOf("DEF", "ABC"),
            5 to listOf("AD", "BE", "CF"), 6 to listOf("DA", "EB", "FC"), 7 to listOf("FC", "EB", "DA"),
            8 to listOf("CF", "BE", "AD"), 0 to listOf("ABC", "DEF"),
        )
        for ((orientation, rows) in upright) assertEquals("$orientation", rows, image.upright(orientation).rows())
    }

    private fun ArgbImage.cut(part: Region) = ArgbImage(
        part.width, part.height,
        IntArray(part.width * part.height) {
            pixels[(part.top + it / part.width) * width + part.left + it % part.width]
        },
    )

    @Test
    fun aPartLiesWhereTheWholeHasIt() {
        val parts = listOf(Region(0, 0, 1, 1), Region(1, 0, 1, 2), Region(0, 1, 2, 1), Region(0, 0, 2, 2))
        for (orientation in 0..8) {
            for (part in parts) {
                val expected = image.upright(orientation).cut(part)
                val found = image.cut(part.stored(orientation, 3, 2)).upright(orientation)
                assertEquals("$orientation $part", expected.rows(), found.rows())
            }
        }
    }

    @Test
    fun transparencyLiesOverWhite() {
        assertSame(image, image.overWhite())
        val layer = ArgbImage(3, 1, intArrayOf(0x00123456, 0x80000000.toInt(), 0xFF123456.toInt()))
        assertEquals(listOf(-1, 0xFF7F7F7F.toInt(), 0xFF123456.toInt()), layer.overWhite().pixels.toList())
    }
}
