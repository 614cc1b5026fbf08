plugins {
    alias(libs.plugins.android.library)
    `maven-publish`
}

group = "org.fermobile"
version = libs.versions.app.get()

val checkout: File = rootDir.parentFile

/** The face detector, which every model needs, with its licence. */
abstract class BundleDetector : DefaultTask() {
    @get:InputDirectory @get:PathSensitive(PathSensitivity.RELATIVE) abstract val yunet: DirectoryProperty
    @get:OutputDirectory abstract val assets: DirectoryProperty
    @get:Inject abstract val files: FileSystemOperations

    @TaskAction
    fun bundle() {
        files.sync {
            into(assets)
            into("detector") { from(yunet.file("face_detection_yunet.tflite")) }
            into("licences") { from(yunet.file("LICENSE")) { rename { "yunet.txt" } } }
        }
    }
}

val bundleDetector = tasks.register<BundleDetector>("bundleDetector") { yunet = checkout.resolve("models/yunet") }
androidComponents {
    onVariants { it.sources.assets?.addGeneratedSourceDirectory(bundleDetector, BundleDetector::assets) }
}

android {
    namespace = "org.fermobile.fer"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
    }
    // :core is inside the AAR, so that an app has one artifact to depend on.
    sourceSets.getByName("main").kotlin.srcDir("../core/src/main/kotlin")
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    publishing { singleVariant("release") { withSourcesJar() } }
}

kotlin {
    compilerOptions {
        allWarningsAsErrors = true
    }
}

dependencies {
    implementation(libs.bundles.core)
    api(libs.bundles.fer)
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "fer"
            afterEvaluate { from(components["release"]) }
        }
    }
}
