package org.fermobile.core

/**
 * Something that was given cannot be used.
 *
 * The message is one line, as the Python package writes it: `SUBJECT: expected X, found Y. What to do.`
 */
open class InputException(
    val subject: String,
    val expected: String,
    val found: String,
    val hint: String = "",
    cause: Throwable? = null,
) : Exception("$subject: expected $expected, found $found. $hint".trim(), cause)

/**
 * A photo that cannot be read; a run keeps it as a result with an error and goes on.
 *
 * @property tooLarge whether memory does not suffice for it.
 */
class PhotoException(
    subject: String,
    expected: String,
    found: String,
    hint: String = "",
    cause: Throwable? = null,
    val tooLarge: Boolean = false,
) : InputException(subject, expected, found, hint, cause)

/** An interpreter that cannot run on this device. */
class InterpreterException(
    subject: String,
    expected: String,
    found: String,
    hint: String = "",
    cause: Throwable? = null,
) : InputException(subject, expected, found, hint, cause)

/** A model file or its contract that cannot be used. */
class ContractException(
    subject: String,
    expected: String,
    found: String,
    hint: String = "",
    cause: Throwable? = null,
) : InputException(subject, expected, found, hint, cause)
