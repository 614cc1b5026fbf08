package org.fermobile.core

import org.junit.Assert.assertEquals
import org.junit.Test

class OrientationTest {
    private val image = ArgbImage(3, 2, IntArray(6) { it })

    @Test
    fun imagesTurnClockwise() {
        assertEquals(listOf(3, 0, 4, 1, 5, 2), Turn.QUARTER.of(image).pixels.toList())
        assertEquals(listOf(5, 4, 3, 2, 1, 0), Turn.HALF.of(image).pixels.toList())
        assertEquals(listOf(2, 5, 1, 4, 0, 3), Turn.THREE_QUARTERS.of(image).pixels.toList())
    }

    @Test
    fun pixelsAndPointsTurnAlike() {
        for (turn in Turn.entries) {
            val turned = turn.of(image)
            for (value in image.pixels) {
                val place = turned.pixels.indexOf(value)
                val x = (place % turned.width).toDouble()
                val y = (place / turned.width).toDouble()
                val face = Detection(Box(x, y, 1.0, 1.0), 1f, listOf(Point(x + 0.5, y + 0.5)))
                val back = turn.back(face, image.width, image.height)
                val column = value % 3.0
                val row = value / 3 + 0.0
                assertEquals("$turn", Detection(Box(column, row, 1.0, 1.0), 1f, listOf(Point(column + 0.5, row + 0.5))), back)
            }
        }
    }

    private fun face(score: Float) = listOf(Detection(Box(0.0, 0.0, 1.0, 1.0), score))

    /** What is found with these scores, one search after the other, and the sizes that were searched. */
    private fun found(vararg scores: Float): Pair<Pair<Turn, List<Detection>>, List<Pair<Int, Int>>> {
        val photo = ArgbImage(640, 320, IntArray(640 * 320))
        val sizes = mutableListOf<Pair<Int, Int>>()
        val answers = ArrayDeque(scores.toList())
        return findTurn(photo) {
            sizes += it.width to it.height
            answers.removeFirst().let { score -> if (score > 0) face(score) else emptyList() }
        } to sizes
    }

    @Test
    fun aSureFaceIsUpright() =
        assertEquals((Turn.NONE to face(0.9f)) to listOf(640 to 320), found(0.9f))

    @Test
    fun otherwiseTheOtherTurnsAreGlancedAt() {
        val glances = listOf(640 to 320, 96 to 192, 192 to 96, 96 to 192)
        assertEquals((Turn.NONE to emptyList<Detection>()) to glances, found(0f, 0f, 0f, 0f))
        assertEquals((Turn.HALF to face(0.8f)) to glances + (640 to 320), found(0.7f, 0.7f, 0.8f, 0.8f, 0.8f))
        assertEquals((Turn.THREE_QUARTERS to face(0.8f)) to glances + (320 to 640), found(0f, 0f, 0f, 0.6f, 0.8f))
    }

    @Test
    fun aTurnThatIsNoSurerIsNotTaken() {
        assertEquals(Turn.NONE to face(0.8f), found(0.8f, 0.9f, 0f, 0f, 0.8f).first)
        assertEquals(Turn.NONE to emptyList<Detection>(), found(0f, 0.9f, 0f, 0f, 0.75f).first)
    }
}
