package org.fermobile.gallery.logic

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.fermobile.core.Golden
import org.fermobile.core.item
import org.fermobile.core.items
import org.fermobile.core.text
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class ExpressionsTest {
    private fun texts(json: JsonElement) = (json as JsonObject).mapValues { it.value.text() }

    @Test
    fun theVocabularyIsPythons() {
        val labels = Golden.vectors.item("labels")
        assertEquals(labels.item("labels").items().map { it.text() }, Expressions.LABELS)
        assertEquals(labels.item("multiple").text(), Expressions.MULTIPLE)
        assertEquals(texts(labels.item("emoji")), Expressions.EMOJI)
        assertEquals(texts(labels.item("aliases")), Expressions.ALIASES)
    }

    @Test
    fun everyExpressionOfTheBarHasAnEmoji() {
        assertEquals(Expressions.EMOJI.keys, Expressions.bar().toSet())
        assertEquals(Expressions.EMOJI.size, Expressions.bar().size)
    }

    @Test
    fun otherSpellingsAreUnderstood() {
        assertEquals("😀", Expressions.emoji("Happy"))
        assertEquals("👥", Expressions.emoji(Expressions.MULTIPLE))
        assertNull(Expressions.emoji("bored"))
        assertEquals("Bored", Expressions.canonical("Bored"))
        assertEquals(
            listOf("neutral", "happy", "Sad", "bored", "multiple"),
            Expressions.bar(listOf("bored", "Sad", "happy", "neutral")),
        )
    }
}
