package org.fermobile.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import kotlin.math.abs

class PreprocessTest {
    @Test
    fun everyCropHasThePixelsOfPython() {
        val cases = Golden.vectors.item("crops").items()
        assertTrue(cases.size >= 50)
        for (case in cases) {
            val image = Golden.photo(case.item("image").text()!!, case.item("orientation").int())
            val (scale, shift) = case.item("rule").doubles()
            val rule = CropRule(scale, shift)
            val box = case.item("box").box()
            val (left, top, side) = case.item("square").ints()
            assertEquals("$case", Square(left, top, side), rule.square(box))
            val found = Preprocess.facePixels(image, box, case.item("size").int(), rule)
            assertArrayEquals("$case", Golden.bytes(case.item("pixels")), found.pixels)
        }
    }

    @Test
    fun everyLevelledFaceHasThePixelsOfPython() {
        val cases = Golden.vectors.item("levelled").items()
        assertTrue(cases.size >= 30)
        for (case in cases) {
            val image = Golden.photo(case.item("image").text()!!, case.item("orientation").int())
            val (scale, shift) = case.item("rule").doubles()
            val rule = CropRule(scale, shift)
            val box = case.item("box").box()
            val eyes = case.item("eyes").items().map { it.doubles() }.map { (x, y) -> Point(x, y) }
            val face = Detection(box, 1f, eyes)
            val tilt = case.item("tilt").double()
            assertEquals(tilt, face.tilt!!, 1e-12)
            assertEquals(null, Levelling(abs(tilt) + 1e-9).direction(face))
            val direction = Levelling(0.0).direction(face)
            val (left, top, side) = case.item("square").ints()
            assertEquals("$case", Square(left, top, side), rule.square(box, direction))
            val found = Preprocess.facePixels(image, box, case.item("size").int(), rule, direction)
            assertArrayEquals("$case", Golden.bytes(case.item("pixels")), found.pixels)
        }
    }

    @Test
    fun aFaceWithoutAnEyeLineStaysAsItIs() {
        val box = Box(0.0, 0.0, 9.0, 9.0)
        val place = Point(3.0, 4.0)
        for (points in listOf(emptyList(), listOf(place), listOf(place, place), listOf(place, Point(Double.NaN, 4.0)))) {
            assertEquals(null, Detection(box, 1f, points).tilt)
            assertEquals(null, Levelling(0.0).direction(Detection(box, 1f, points)))
        }
    }

    @Test
    fun theVersionIsPythons() = assertEquals(Golden.vectors.item("preprocessing").int(), Preprocess.VERSION)

    @Test
    fun everyReductionHasThePixelsOfPython() {
        for (case in Golden.vectors.item("shrinks").items()) {
            val found = shrink(Golden.photo(case.item("image").text()!!), case.item("side").int())
            assertEquals("$case", case.item("size").ints(), listOf(found.width, found.height))
            val rgb = ByteArray(3 * found.pixels.size) { (found.pixels[it / 3] shr (16 - it % 3 * 8)).toByte() }
            assertArrayEquals("$case", Golden.bytes(case.item("rgb")), rgb)
        }
    }

    @Test
    fun aPhotoSmallEnoughStaysAsItIs() {
        val image = Golden.photo("portrait.png")
        assertSame(image, shrink(image, 640))
        assertSame(image, image.upright(1))
        assertSame("an orientation that EXIF does not know", image, image.upright(9))
    }

    @Test
    fun onlySquaresAreResized() {
        assertThrows(IllegalArgumentException::class.java) { Preprocess.resize(GrayImage(2, 3, ByteArray(6)), 4) }
        assertThrows(IllegalArgumentException::class.java) { ArgbImage(2, 2, IntArray(3)) }
    }
}
