package org.fermobile.gallery

import org.codehaus.mojo.animal_sniffer.SignatureChecker
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.experimental.categories.Category
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.PrintStream

/** The compiled app calls nothing that the oldest Android it runs on has not. */
@Category(OfflineProof::class)
class ApiLevelTest {
    /** Libraries have a minSdk of their own; D8 replaces java.lang.invoke. */
    private val others = setOf(
        "androidx.*", "com.google.*", "java.lang.invoke.*", "kotlin.*", "kotlinx.*", "org.fermobile.*", "org.tensorflow.*",
    )

    /** Behind a look at SDK_INT. */
    private val guarded = setOf(
        "String android.os.Build.SOC_MANUFACTURER", "String android.os.Build.SOC_MODEL",
        "int android.os.PowerManager.getCurrentThermalStatus()",
        "android.graphics.Bitmap.Config android.graphics.Bitmap.Config.HARDWARE",
        "android.graphics.ColorSpace", "android.graphics.ColorSpace.Named android.graphics.ColorSpace.Named.SRGB",
        "android.graphics.ColorSpace android.graphics.ColorSpace.get(android.graphics.ColorSpace.Named)",
        "android.graphics.ColorSpace android.graphics.BitmapFactory.Options.inPreferredColorSpace",
        "android.graphics.ColorSpace android.graphics.BitmapFactory.Options.outColorSpace",
        "android.graphics.ColorSpace.Named android.graphics.ColorSpace.Named.ADOBE_RGB",
        "void android.graphics.Bitmap.setColorSpace(android.graphics.ColorSpace)",
    )

    @Test
    fun everyCallIsThereOnTheOldestAndroid() {
        val told = ByteArrayOutputStream()
        File(System.getProperty("fermobile.oldest")!!).inputStream().use { signatures ->
            val checker = SignatureChecker(signatures, others, PrintWriterLogger(PrintStream(told)))
            checker.setSourcePath(emptyList())
            for (folder in System.getProperty("fermobile.classes")!!.split(File.pathSeparator)) checker.process(File(folder))
        }
        val missing = "$told".lines().filter { "ndefined reference" in it }.map { it.substringAfter("ndefined reference: ") }
        assertEquals(guarded, missing.toSet())
    }
}
