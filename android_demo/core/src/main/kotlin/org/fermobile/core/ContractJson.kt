package org.fermobile.core

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.longOrNull

private const val FORMAT = "fer-mobile/contract"
private val PRECISIONS = listOf("float32", "float16", "dynamic", "int8")
private val OUTPUT_VALUES = listOf("probabilities", "logits")

/** Of a label, in characters. */
private const val LONGEST_LABEL = 100

/** Pixels of an input's side. */
private val SIZES = 1..1024

/** The contract in a JSON text. Keys that are not known are of no concern here and pass. */
internal fun parseContract(text: String, name: String, reference: String? = null): Contract {
    val json = Node(parse(text, name), "", name)
    json["format"].oneOf(listOf(FORMAT))
    val version = json["format_version"].int()
    if (version > Contract.FORMAT_VERSION) {
        throw ContractException(
            name,
            expected = "contract format ${Contract.FORMAT_VERSION} or older",
            found = "format $version",
            hint = "Update the app.",
        )
    }
    val unknown = json.optional("requires")?.list().orEmpty().map { it.text() } - Contract.UNDERSTOOD
    if (unknown.isNotEmpty()) {
        throw ContractException(
            name,
            expected = "a contract that requires what this version understands",
            found = "${unknown.joinToString()} in requires",
            hint = "Update the app.",
        )
    }
    val contract = Contract(
        formatVersion = version,
        name = json["name"].text(),
        architecture = json["architecture"].text(),
        parameters = json["parameters"].long(),
        precision = json["precision"].oneOf(PRECISIONS),
        input = tensor(json["input"]),
        output = tensor(json["output"]),
        crop = crop(json["preprocessing"]),
        levelling = json["preprocessing"].optional("levelling")?.let(::levelling),
        normalisation = normalisation(json["preprocessing"]["normalisation"]),
        logits = json.optional("output_values")?.oneOf(OUTPUT_VALUES) == "logits",
        labels = json["labels"].list().map { it.label() },
        emoji = emoji(json),
        figures = json.optional("figures")?.list().orEmpty().map(::figures),
        accelerators = json.optional("accelerators")?.list().orEmpty().map(::accelerator),
        licence = json["licence"].text(),
        modelSha256 = json["model_sha256"].text(),
    ).let { it.copy(reference = reference(reference, it.labels, name)) }
    checkShapes(contract, channels = if (json["preprocessing"]["gray"].text() == "in-graph") 3 else 1, name)
    return contract
}

/** By face, of a text by label. */
private fun reference(text: String?, labels: List<String>, name: String): List<List<Float>> {
    val json = Node(parse(text ?: return emptyList(), name), ".reference", name)
    val columns = labels.map { label -> json[label].list().map { it.between(0.0, 1.0).toFloat() } }
    if (columns.any { it.size != columns[0].size }) json.refuse("as many faces for each label")
    return List(columns[0].size) { face -> columns.map { it[face] } }
}

private fun parse(text: String, name: String): JsonElement = try {
    Json.parseToJsonElement(text)
} catch (error: SerializationException) {
    throw ContractException(
        name, expected = "a well-formed contract", found = error.message.orEmpty().lines().first(), cause = error,
    )
}

private fun tensor(json: Node): Tensor {
    val type = json["dtype"].oneOf(TensorType.entries.map { it.key })
    val scale = json.optional("scale")?.double()?.toFloat()
    if (scale != null && !(scale > 0 && scale.isFinite())) json["scale"].refuse("a number above 0")
    return Tensor(
        name = json["name"].text(),
        shape = json["shape"].list().map { it.int() },
        type = TensorType.entries.first { it.key == type },
        scale = scale,
        zeroPoint = json.optional("zero_point")?.int(),
    )
}

private fun crop(json: Node): CropRule {
    val version = json["version"].int()
    if (version != Preprocess.VERSION) {
        throw ContractException(
            json.file,
            expected = "preprocessing version ${Preprocess.VERSION}",
            found = "version $version",
            hint = "Export the model again with the version of fer-mobile that this app is of.",
        )
    }
    json["gray"].oneOf(listOf("bt601-integer-16", "in-graph"))
    json["resize"].oneOf(listOf("triangle-antialiased-22"))
    json.optional("colour_space")?.oneOf(listOf("sRGB"))
    return CropRule(
        scale = json["crop"]["scale"].between(0.1, 4.0),
        shiftY = json["crop"]["shift_y"].between(-2.0, 2.0),
    )
}

private fun levelling(json: Node): Levelling {
    json["landmarks"].oneOf(listOf("eyes"))
    return Levelling(json["min_tilt"].between(0.0, 180.0))
}

private fun normalisation(json: Node): Normalisation {
    val key = json.oneOf(Normalisation.entries.map { it.key })
    return Normalisation.entries.first { it.key == key }
}

/** The emoji of labels that have one. */
private fun emoji(json: Node): Map<String, String> = buildMap {
    for ((label, facts) in json.optional("label_facts")?.entries().orEmpty()) {
        facts?.optional("emoji")?.let { put(label, it.text()) }
    }
}

private fun accelerator(json: Node) = AcceleratorVerdict(
    name = json["name"].text(),
    verdict = json["verdict"].text(),
    evidence = json.optional("evidence")?.text().orEmpty(),
)

private fun figures(json: Node) = Figures(
    precision = json["precision"].text(),
    protocol = json["protocol"].text(),
    split = json["split"].text(),
    n = json["n"].int(),
    accuracy = json["accuracy"].double(),
    balancedAccuracy = json["balanced_accuracy"].double(),
    recall = json["recall"].entries().mapValues { it.value?.double() },
)

private fun checkShapes(contract: Contract, channels: Int, name: String) {
    val image = contract.input.shape
    if (image.size != 4 || image[1] !in SIZES || image != listOf(1, image[1], image[1], channels)) {
        throw ContractException(
            name,
            expected = "an input [1, S, S, $channels] with S from ${SIZES.first} to ${SIZES.last}",
            found = "$image",
        )
    }
    val labels = contract.labels
    if (labels.size !in 2..100 || labels.toSet().size != labels.size || contract.output.shape != listOf(1, labels.size)) {
        throw ContractException(
            name,
            expected = "a different label for each output of ${contract.output.shape}",
            found = "${labels.size} labels: ${labels.joinToString()}",
        )
    }
}

/** A part of the contract, which knows its place for messages. */
private class Node(private val json: JsonElement, private val place: String, val file: String) {
    operator fun get(key: String): Node = optional(key) ?: Node(JsonNull, "$place.$key", file).refuse("a value")

    /** The value of [key]; null where there is none or it is null. */
    fun optional(key: String): Node? {
        val found = (json as? JsonObject ?: refuse("an object"))[key]
        return if (found == null || found is JsonNull) null else Node(found, "$place.$key", file)
    }

    fun entries(): Map<String, Node?> = (json as? JsonObject ?: refuse("an object")).keys.associateWith(::optional)

    fun list(): List<Node> =
        (json as? JsonArray ?: refuse("a list")).mapIndexed { index, item -> Node(item, "$place.$index", file) }

    fun text(): String = (json as? JsonPrimitive)?.takeIf { it.isString }?.content ?: refuse("a text")

    fun int(): Int = number()?.intOrNull ?: refuse("a whole number")

    fun long(): Long = number()?.longOrNull ?: refuse("a whole number")

    fun double(): Double = number()?.doubleOrNull?.takeIf { it.isFinite() } ?: refuse("a number")

    fun between(low: Double, high: Double): Double =
        double().takeIf { it in low..high } ?: refuse("a number from $low to $high")

    /** A label: 1 to 100 characters, none of them a control character. */
    fun label(): String =
        text().takeIf { it.codePointCount(0, it.length) in 1..LONGEST_LABEL && it.none(Char::isISOControl) }
            ?: refuse("1 to $LONGEST_LABEL characters")

    fun oneOf(known: List<String>): String = text().takeIf { it in known } ?: refuse(known.joinToString(" or "))

    fun refuse(expected: String): Nothing = throw ContractException(
        file,
        expected = "a well-formed contract with $expected as ${place.removePrefix(".")}",
        found = if (json is JsonNull) "none" else "$json".take(60),
    )

    private fun number(): JsonPrimitive? = (json as? JsonPrimitive)?.takeIf { !it.isString }
}
