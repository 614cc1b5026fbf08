package org.fermobile.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class QualityTest {
    @Test
    fun `every golden face has the quality that Python gives it`() {
        val cases = Golden.vectors.item("qualities").items()
        assertTrue(cases.size > 10)
        for (case in cases) {
            val square = GrayImage(Quality.SIDE, Quality.SIDE, Golden.bytes(case.item("pixels")))
            val (x, y, width, height) = case.item("box").doubles()
            val points = case.item("landmarks").doubles().chunked(2) { (px, py) -> Point(px, py) }
            val face = Detection(Box(x, y, width, height), case.item("score").double().toFloat(), points)
            val quality = Quality.of(square, face, case.item("levelled").text() == "true")
            assertEquals(case.item("quality").double(), quality.value, 1e-9)
            assertEquals(case.item("flaw").text(), quality.flaw?.key)
        }
        val flaws = cases.mapNotNull { it.item("flaw").text() }.toSet()
        assertEquals(Flaw.entries.map { it.key }.toSet(), flaws)
    }

    @Test
    fun `only a single face below the least quality is unsure`() {
        val poor = Face(Box(0.0, 0.0, 9.0, 9.0), "fear", 0.9f, mapOf("fear" to 0.9f), quality = 0.3, flaw = Flaw.TOO_DARK)
        val alone = PhotoResult("fear", 0.9f, listOf(poor))
        assertEquals(alone, alone.relabelled(0.0))
        assertEquals(alone.copy(label = PhotoResult.UNSURE, confidence = null), alone.relabelled(0.5))
        assertEquals(alone, alone.relabelled(0.5).relabelled(0.0))
        val unknown = PhotoResult("fear", 0.9f, listOf(poor.copy(quality = null)))
        assertEquals(unknown, unknown.relabelled(1.0))
        val group = PhotoResult(PhotoResult.MULTIPLE, null, listOf(poor, poor))
        assertEquals(group, group.relabelled(0.5))
        assertEquals(PhotoResult(), PhotoResult().relabelled(0.5))
    }
}
