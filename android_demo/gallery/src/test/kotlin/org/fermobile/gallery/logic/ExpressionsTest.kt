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
        assertEquals("❓", Expressions.emoji(Expressions.UNSURE))
        assertNull(Expressions.emoji("bored"))
        assertEquals("Bored", Expressions.canonical("Bored"))
        assertEquals(
            listOf("neutral", "happy", "Sad", "bored", "multiple"),
            Expressions.bar(listOf("bored", "Sad", "happy", "neutral")),
        )
    }

    @Test
    fun theEmojiOfAContractGoBeforeOurs() {
        val own = Vocabulary(listOf("wild", "happy", "calm", "odd"), mapOf("wild" to "🦁", "happy" to "🌞"))
        assertEquals(listOf("🦁", "🌞", null, null), own.labels.map(own::emoji))
        assertEquals("👥", own.emoji(Expressions.MULTIPLE))
        assertEquals(listOf(0, 1), listOf("calm", "odd").map(own::place))
    }
}
