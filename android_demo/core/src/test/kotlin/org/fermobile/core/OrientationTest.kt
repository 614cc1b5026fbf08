package org.fermobile.core

import kotlinx.serialization.json.JsonNull
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

    /** A detector that gives faces of these scores, one search after the other. */
    private class Scripted(scores: List<Float>, private val hints: List<Detection>) : FaceDetector {
        override val identity = "scripted"
        private val scores = ArrayDeque(scores)
        val sizes = mutableListOf<Pair<Int, Int>>()

        override fun detect(image: ArgbImage): List<Detection> {
            sizes += image.width to image.height
            return scores.removeFirst().let { score -> if (score > 0) face(score) else emptyList() }
        }

        override fun hints() = hints

        override fun close() = Unit
    }

    /** What is found with these scores, and the sizes that were searched. */
    private fun found(
        vararg scores: Float, hints: List<Detection> = emptyList(), width: Int = 640, height: Int = width / 2,
    ): Pair<Pair<Turn, List<Detection>>, List<Pair<Int, Int>>> {
        val detector = Scripted(scores.toList(), hints)
        return findTurn(ArgbImage(width, height, IntArray(width * height)), detector) to detector.sizes
    }

    @Test
    fun aSureFaceIsUpright() =
        assertEquals((Turn.NONE to face(0.9f)) to listOf(640 to 320), found(0.9f))

    @Test
    fun otherwiseTheOtherTurnsAreGlancedAt() {
        val glances = listOf(640 to 320, 48 to 96, 96 to 48, 48 to 96)
        assertEquals((Turn.NONE to emptyList<Detection>()) to glances, found(0f, 0f, 0f, 0f))
        assertEquals((Turn.NONE to emptyList<Detection>()) to glances, found(0f, 0f, 0.75f, 0f))
        assertEquals((Turn.HALF to face(0.8f)) to glances + (640 to 320), found(0.7f, 0.7f, 0.8f, 0.8f, 0.8f))
        assertEquals((Turn.THREE_QUARTERS to face(0.8f)) to glances + (320 to 640), found(0f, 0f, 0f, 0.76f, 0.8f))
    }

    @Test
    fun soAreTheSquaresAboutHints() {
        val hints = listOf(Box(100.0, 50.0, 40.0, 20.0), Box(600.0, 0.0, 20.0, 80.0), Box(900.0, 0.0, 9.0, 9.0))
        val (turned, sizes) = found(
            0f, 0f, 0f, 0f, 0f, 0.8f, 0f, 0f, 0f, 0f, 0.9f, hints = hints.map { Detection(it, 0.1f) },
        )
        assertEquals(Turn.HALF to face(0.9f), turned)
        val quarter = listOf(48 to 96, 64 to 64, 96 to 87)
        val half = listOf(96 to 48, 64 to 64, 87 to 96)
        assertEquals(listOf(640 to 320) + quarter + half + quarter + (640 to 320), sizes)
    }

    @Test
    fun inSmallPhotosSquaresWouldShowNoMore() {
        val hints = listOf(Detection(Box(100.0, 50.0, 40.0, 20.0), 0.1f))
        val sizes = found(0f, 0f, 0f, 0f, hints = hints, width = 380).second
        assertEquals(listOf(380 to 190, 48 to 96, 96 to 48, 48 to 96), sizes)
    }

    @Test
    fun aLineOfPixelsIsAPhoto() =
        assertEquals(listOf(640 to 1, 1 to 96, 96 to 1, 1 to 96), found(0f, 0f, 0f, 0f, height = 1).second)

    @Test
    fun squaresAboutHintsAreThoseOfPython() {
        val case = Golden.vectors.item("detection")
        for (square in case.item("hints").items() + case.item("squares").items()) {
            val found = squareAbout(square.item("box").box(), case.item("width").int(), case.item("height").int())
            val expected = square.item("square").takeIf { it !is JsonNull }?.ints()
            assertEquals(expected, found?.run { listOf(left, top, width, height) })
        }
    }

    @Test
    fun aTurnThatIsNoSurerIsNotTaken() {
        assertEquals(Turn.NONE to face(0.8f), found(0.8f, 0.9f, 0f, 0f, 0.8f).first)
        assertEquals(Turn.NONE to emptyList<Detection>(), found(0f, 0.9f, 0f, 0f, 0.75f).first)
    }

    private companion object {
        fun face(score: Float) = listOf(Detection(Box(0.0, 0.0, 1.0, 1.0), score))
    }
}
