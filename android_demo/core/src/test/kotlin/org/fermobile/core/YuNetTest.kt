package org.fermobile.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.ln

class YuNetTest {
    /** Sizes are powers of e, whose last digit differs between mathematics libraries. */
    @Test
    fun decodingFindsTheFacesOfPython() {
        val case = Golden.vectors.item("detection")
        val outputs = (case.item("outputs") as Map<*, *>).keys.associate { name ->
            name as String to Golden.buffer(case.item("outputs").item(name))
        }
        val found = YuNet.decode(outputs, case.item("width").int(), case.item("height").int())
        val expected = case.item("faces").items()
        assertTrue(expected.size > 20)
        assertEquals(expected.map { it.item("score").double().toFloat() }, found.map { it.score })
        for ((face, says) in found.zip(expected)) {
            assertBox(says.item("box").box(), face.box, 1e-4)
            val points = face.landmarks.flatMap { listOf(it.x, it.y) }
            says.item("landmarks").doubles().zip(points) { a, b -> assertEquals(a, b, 1e-9) }
        }
        val hints = YuNet.decode(outputs, case.item("width").int(), case.item("height").int(), YuNet.HINT, YuNet.HINTS)
        assertEquals(case.item("hints").items().map { it.item("score").double().toFloat() }, hints.map { it.score })
    }

    @Test
    fun theSurestOfOverlappingFacesStays() {
        val found = decodeStride8(mapOf(1 to 0.7f, 2 to 0.9f, 3 to 0.7f, 9 to 0.7f))
        assertEquals(listOf(16.0 to 0.9f, 72.0 to 0.7f), found)
    }

    @Test
    fun ofEqualOnesTheFirstCellStays() = assertEquals(listOf(8.0 to 0.7f), decodeStride8(mapOf(2 to 0.7f, 1 to 0.7f)))

    @Test
    fun tooLowOrNoNumberIsNoFace() = assertTrue(decodeStride8(mapOf(1 to 0.59f, 5 to Float.NaN)).isEmpty())

    @Test
    fun overlapIsIntersectionOverUnion() {
        val box = Box(0.0, 0.0, 10.0, 10.0)
        assertEquals(1.0, YuNet.overlap(box, box), 0.0)
        assertEquals(50 / 150.0, YuNet.overlap(box, box.copy(x = 5.0)), 1e-12)
        assertEquals(0.0, YuNet.overlap(box, box.copy(x = 10.0)), 0.0)
    }

    /** Centre and score of the faces where cells of row 4, 4 cells large, have these scores. */
    private fun decodeStride8(scores: Map<Int, Float>): List<Pair<Double, Float>> {
        val outputs = YuNet.STRIDES.flatMap { stride ->
            val cells = 64 / stride * (96 / stride)
            listOf("scores_$stride" to floats(cells), "offsets_$stride" to floats(cells * 14))
        }.toMap()
        for ((column, score) in scores) {
            val cell = 4 * 12 + column
            outputs.getValue("scores_8").putFloat(4 * cell, score)
            for (size in 2..3) outputs.getValue("offsets_8").putFloat(4 * (14 * cell + size), ln(4f))
        }
        return YuNet.decode(outputs, 96, 64).map { it.box.x + it.box.width / 2 to it.score }
    }

    private fun floats(count: Int) = ByteBuffer.allocate(4 * count).order(ByteOrder.nativeOrder())
}

fun assertBox(expected: Box, found: Box, tolerance: Double) {
    assertEquals("$found", expected.x, found.x, tolerance)
    assertEquals("$found", expected.y, found.y, tolerance)
    assertEquals("$found", expected.width, found.width, tolerance)
    assertEquals("$found", expected.height, found.height, tolerance)
}
